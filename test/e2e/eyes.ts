/** The first screen as somebody sees it in a real browser who has signed in; the picture is kept. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { expect } from 'vitest'
import { launchIfThere, type Site, serve } from '../page/chromium.ts'
import type { Served } from './stage.ts'

const PICTURES = join(import.meta.dirname, '../../.build/pictures')
const VIEW = { width: 1280, height: 900 }

export type Eyes = {
  /** Both the headline and the words are there without scrolling. Nothing is seen where there is no browser. */
  see(name: string, headline: string, words?: RegExp): Promise<void>
  close(): Promise<void>
}

export async function openEyes(worker: Served): Promise<Eyes> {
  const browser = await launchIfThere()
  if (browser === null) return { see: async () => {}, close: async () => {} }
  mkdirSync(PICTURES, { recursive: true })
  const site = await serve({ fetch: (request) => forwarded(worker, request) })
  return {
    see: (name, headline, words) => seeIn(browser, site, { worker, name, headline, words }),
    async close() {
      await browser.close()
      await site.close()
    },
  }
}

type Seeing = { worker: Served; name: string; headline: string; words: RegExp | undefined }

async function seeIn(browser: Browser, site: Site, { worker, name, headline, words }: Seeing): Promise<void> {
  const context = await browser.newContext({ viewport: VIEW })
  const page = await context.newPage()
  await page.goto(site.url)
  await page.fill('#token', worker.token)
  await page.click('button')
  const verdict = page.locator('.verdict')
  await verdict.waitFor()
  await page.screenshot({ path: join(PICTURES, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.png`) })
  expect(await verdict.textContent()).toContain(headline)
  if (words !== undefined) {
    const spoken = page.locator('.troubles li p')
    const texts = (await spoken.allTextContents()).map((text) => text.replace(/^[^:]*: /, ''))
    const at = texts.findIndex((text) => words.test(text))
    expect(texts).toContain(texts[at])
    expect((await spoken.nth(at).boundingBox())?.y).toBeLessThan(VIEW.height)
  }
  await context.close()
}

async function forwarded(worker: Served, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const body = await request.text()
  return worker.fetch(`${pathname}${search}`, {
    ...{ method: request.method, token: null, headers: Object.fromEntries(request.headers) },
    ...(body === '' ? {} : { body }),
  })
}
