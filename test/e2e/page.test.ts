/** The page in a real browser, without scripts: on a phone, on a desktop, in the dark, by keyboard alone. */
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { inChromium, launch, type Site, serve } from '../page/chromium.ts'
import { openScene, type PageScene } from '../page/scene.ts'
import { openStage, TOKEN } from '../page/stage.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

const HOSTILE = `x"><img src=x onerror=alert(1)><b>`

const DEVICES: Record<string, BrowserContextOptions> = {
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  'phone in the dark': { viewport: { width: 360, height: 740 }, isMobile: true, colorScheme: 'dark' },
  desktop: { viewport: { width: 1280, height: 900 } },
  'desktop in the dark': { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
}

const PAGES = [
  '/',
  '/?q=nothing',
  '/subject/main/default/web',
  '/subject/backup/default/web',
  '/subject/main/default/lab',
  '/simulate?policy=nightly',
]

inChromium('the page', () => {
  let browser: Browser
  let site: Site
  let scene: PageScene

  beforeAll(async () => {
    scene = await openScene()
    await scene.pass(190)
    const facts = JSON.parse(scene.world.kv.peek('promises') ?? '{}')
    facts.subjects.hourly[`main/default/${HOSTILE}`] = {}
    facts.silent = { backup: { since: '2026-11-20T03:00:00.000Z', reason: HOSTILE } }
    await scene.world.clock.advance(scene.world.clock.now() + 1500)
    await scene.world.places[0]?.state.put('promises', JSON.stringify(facts))
    site = await serve(openStage(scene.world))
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  type Told = { page: Page; told: string[]; asked: string[] }

  /** With what the browser complained of, and what it asked for. */
  async function open(options: BrowserContextOptions = {}): Promise<Told> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const told: string[] = []
    const asked: string[] = []
    // That a stranger isn't let in is told too.
    page.on('console', (message) => message.text().includes('401') || told.push(message.text()))
    page.on('dialog', (dialog) => told.push(`dialog ${dialog.message()}`))
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(site.url)
    return { page, told, asked }
  }

  async function signIn(options: BrowserContextOptions = {}): Promise<Told> {
    const opened = await open(options)
    await opened.page.fill('#token', TOKEN)
    await opened.page.click('button')
    await opened.page.waitForSelector('.verdict')
    return opened
  }

  /** By a script of the test's own, which the page's policy doesn't bind. */
  async function findingsOn(page: Page): Promise<string[]> {
    await page.evaluate(axe.source)
    const found = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')
    return (found as axe.AxeResults).violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`,
    )
  }

  describe.each(Object.entries(DEVICES))('on a %s', (_, options) => {
    test('axe finds nothing, on no page, and nothing is wider than the screen', {
      timeout: 120_000,
    }, async () => {
      const { page, told } = await open(options)
      const check = async (path: string) => {
        expect([path, await findingsOn(page)]).toEqual([path, []])
        // The window of a phone grows with what is too wide for it.
        const wide = (await page.evaluate('document.scrollingElement.scrollWidth')) as number
        expect([path, wide]).toEqual([path, Math.min(wide, options.viewport?.width ?? 0)])
      }
      await check('sign-in')
      await page.fill('#token', TOKEN)
      await page.click('button')
      await page.waitForSelector('.verdict')
      for (const path of PAGES) {
        await page.goto(`${site.url}${path}`)
        await check(path)
      }
      await page.fill('#keep', '{ "daily": 1 }')
      await page.click('text=Simulate this policy')
      await page.waitForSelector('#outcome')
      await check('what a simulation has shown')
      expect(told).toEqual([])
    })

    test('its colours are those that the system asks for', async () => {
      const { page } = await signIn(options)
      const colour = (await page.evaluate('getComputedStyle(document.body).backgroundColor')) as string
      const light = (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3
      expect(light > 128).toBe(options.colorScheme !== 'dark')
    })
  })

  test('by keyboard alone, without JavaScript: sign in, skip, search, open an instance, sign out', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    const focused = async () => page.locator(':focus').first()
    const press = async (key: string, times = 1) => {
      for (let time = 0; time < times; time++) await page.keyboard.press(key)
    }
    const tabTo = async (selector: string) => {
      for (let time = 0; time < 60; time++) {
        await press('Tab')
        if ((await page.locator(`${selector}:focus`).count()) > 0) return
      }
      throw new Error(`Tab never comes to ${selector}`)
    }
    await tabTo('#token')
    await page.keyboard.type(TOKEN)
    await press('Enter')
    await page.waitForSelector('h1')
    await press('Tab')
    expect(await (await focused()).textContent()).toContain('Skip to the content')
    expect(await (await focused()).boundingBox()).toMatchObject({
      x: expect.toSatisfy((x) => Number(x) >= 0),
    })
    await tabTo('#q')
    await page.keyboard.type('main web')
    await press('Enter')
    await page.waitForURL(/q=main\+web/)
    await tabTo('a[href="/subject/main/default/web"]')
    await press('Enter')
    await page.waitForURL(/subject\/main\/default\/web$/)
    expect(await page.locator('h1').textContent()).toBe('web')
    await tabTo('header button')
    await press('Enter')
    await page.waitForSelector('#token')
    await page.goto(site.url)
    expect(await page.locator('#token').count()).toBe(1)
  })

  test('what has the focus is outlined', async () => {
    const { page } = await signIn()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
  })

  test('a name and a reason that a server made up stay text, and nothing is asked for elsewhere', async () => {
    const { page, told, asked } = await signIn()
    const text = (await page.textContent('main')) ?? ''
    expect(text.split(HOSTILE).length - 1).toBeGreaterThanOrEqual(2)
    await page.goto(`${site.url}/?q=${encodeURIComponent(HOSTILE)}`)
    expect(await page.inputValue('#q')).toBe(HOSTILE)
    await page.locator('tbody th a').filter({ hasText: HOSTILE }).click()
    await page.waitForURL(/subject/)
    expect(await page.locator('h1').textContent()).toBe(HOSTILE)
    expect(await page.locator('img:not([src="/icon.svg"]), main b, script').count()).toBe(0)
    expect(told).toEqual([])
    expect(asked.filter((url) => !url.startsWith(site.url))).toEqual([])
  })

  test('a script that got in after all would not run', async () => {
    const { page, told } = await signIn()
    await page.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="document.title = 1">')`,
    )
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('script'), { text: 'document.title = 1' }))`,
    )
    await vi.waitFor(() =>
      expect(told.filter((text) => text.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(
        2,
      ),
    )
    expect(await page.title()).toBe('Overview · stapes')
  })

  describe('another site', () => {
    let evil: Site
    /** `localhost` is another site than `127.0.0.1`. */
    const away = () => evil.url.replace('127.0.0.1', 'localhost')
    beforeAll(async () => {
      const body = () => `<!doctype html><a id="in" href="${site.url}/subject/main/default/web">in</a>
        <iframe src="${site.url}/"></iframe>
        <form method="post" action="${site.url}/sign-out"><button id="out">out</button></form>`
      evil = await serve({
        fetch: async () => new Response(body(), { headers: { 'content-type': 'text/html' } }),
      })
    })
    afterAll(() => evil?.close())

    test('may link to the page: who is signed in gets there', async () => {
      const { page } = await signIn()
      await page.goto(away())
      await page.click('#in')
      await page.waitForSelector('h1:has-text("web")')
    })

    test('can’t sign anybody out, nor show the page in a frame', async () => {
      const { page } = await signIn()
      await page.goto(away())
      const frame = page.frames()[1]
      expect((await frame?.content()) ?? '').not.toContain('stapes')
      await page.click('#out')
      expect(await page.textContent('h1')).toBe('Refused')
      await page.goto(site.url)
      expect(await page.locator('#token').count()).toBe(0)
    })
  })

  test('on paper there is no navigation and no form', async () => {
    const { page } = await signIn()
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('header nav').isVisible()).toBe(false)
    expect(await page.locator('.filters').isVisible()).toBe(false)
    expect(await page.locator('.verdict').isVisible()).toBe(true)
  })
})
