/** Who gets to see the page, and by what. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LIFE } from '../../../functions/page/session.ts'
import { ORIGIN, openStage, type Stage, TOKEN } from '../../page/stage.ts'
import { createWorld, type World } from '../../simulation/world.ts'

const START = new Date('2026-11-20T00:00:30Z')

let world: World
let stage: Stage

beforeEach(() => {
  world = createWorld({ start: START })
  stage = openStage(world)
})
afterEach(() => vi.restoreAllMocks())

const isIn = async (cookie: string, path = '/'): Promise<boolean> => {
  const response = await stage.get(path, { cookie })
  const text = await response.text()
  expect(text.includes('Sign out')).toBe(response.status === 200)
  return response.status === 200
}

describe('a stranger', () => {
  test.for(['/', '/?q=web', '/subject/main/default/web'])('sees nothing but the form at %s', async (path) => {
    const response = await stage.get(path)
    expect(response.status).toBe(401)
    const text = await response.text()
    expect(text).toContain('action="/sign-in"')
    expect(text).not.toContain('Instances')
  })

  test.for(['', 'stapes', '1.2', `${'9'.repeat(10)}.${'A'.repeat(43)}`])(
    'is not let in by the cookie "%s"',
    async (value) => {
      expect(await isIn(`__Host-stapes=${value}`)).toBe(false)
    },
  )

  test('with a wrong token gets no cookie, and is told which one it is', async () => {
    const response = await stage.post('/sign-in', { token: 'wrong' })
    expect(response.status).toBe(401)
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(await response.text()).toContain('That is not the token')
  })

  test('who guesses is not listened to for a minute, not even with the right token; others are', async () => {
    const from = (address: string, token: string) =>
      stage.post('/sign-in', { token }, { origin: ORIGIN, 'cf-connecting-ip': address })
    for (let guess = 0; guess < 10; guess++) expect((await from('192.0.2.1', `${guess}`)).status).toBe(401)
    expect((await from('192.0.2.1', TOKEN)).status).toBe(429)
    expect((await from('192.0.2.2', TOKEN)).status).toBe(303)
    await world.clock.advance(world.clock.now() + 61_000)
    expect((await from('192.0.2.1', TOKEN)).status).toBe(303)
  })

  test('leaves nothing in KV', async () => {
    for (let guess = 0; guess < 20; guess++) await stage.post('/sign-in', { token: `${guess}` })
    await stage.get('/')
    expect(world.kv.counts).toMatchObject({ reads: 0, writes: 0 })
  })

  test('may only see the form where a part of the set-up is missing', async () => {
    const response = await openStage(world, { STAPES_TOKEN: '' }).get('/')
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('Set STAPES_TOKEN')
  })
})

describe('who has the token', () => {
  test('gets a cookie that no script reads and no other site sends, and goes back to where he was', async () => {
    const response = await stage.post('/sign-in', { token: ` ${TOKEN} `, to: '/?q=web' })
    expect([response.status, response.headers.get('location')]).toEqual([303, '/?q=web'])
    const cookie = response.headers.get('set-cookie') ?? ''
    for (const part of [
      '__Host-stapes=',
      'HttpOnly',
      'Secure',
      'SameSite=Strict',
      `Max-Age=${LIFE}`,
      'Path=/',
    ])
      expect(cookie).toContain(part)
    expect(cookie).not.toContain(TOKEN)
  })

  test('is let in until it expires', async () => {
    const cookie = await stage.signIn()
    expect(await isIn(cookie)).toBe(true)
    await world.clock.advance(world.clock.now() + LIFE * 1000 - 60_000)
    expect(await isIn(cookie)).toBe(true)
    await world.clock.advance(world.clock.now() + 120_000)
    expect(await isIn(cookie)).toBe(false)
  })

  test('is out once the token, or the key to the relay, is another', async () => {
    const cookie = await stage.signIn()
    for (const changed of [{ STAPES_TOKEN: 'another' }, { RELAY_KEY: btoa('k'.repeat(32)) }]) {
      const response = await openStage(world, { ...stage.env, ...changed }).get('/', { cookie })
      expect(response.status).toBe(401)
    }
  })

  test('can’t make the cookie hold for longer, or take one of a clock that was ahead', async () => {
    const [name, until, mac] = (await stage.signIn()).split(/[=.]/)
    expect(await isIn(`${name}=${Number(until) + 60}.${mac}`)).toBe(false)
    const ahead = createWorld({ start: new Date('2027-11-20T00:00:30Z') })
    expect(await isIn(await openStage(ahead, stage.env).signIn())).toBe(false)
  })

  test('signs out', async () => {
    const response = await stage.post('/sign-out', {})
    expect(response.headers.get('set-cookie')).toMatch(/^__Host-stapes=; Max-Age=0/)
  })

  test('over plain http, as npm start has it, gets a cookie that works there', async () => {
    const url = 'http://127.0.0.1:8787/sign-in'
    const headers = { origin: 'http://127.0.0.1:8787', 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams({ token: TOKEN }).toString()
    const response = await stage.fetch(new Request(url, { method: 'POST', headers, body }))
    expect(response.headers.get('set-cookie')).toMatch(/^stapes=/)
    expect(response.headers.get('set-cookie')).not.toContain('Secure')
  })

  test('comes from a link elsewhere, which keeps the cookie back: the page asks again by itself', async () => {
    const response = await stage.get('/subject/main/default/web', { 'sec-fetch-site': 'cross-site' })
    expect(await response.text()).toContain('http-equiv="refresh" content="0;url=/subject/main/default/web"')
  })
})

describe('another site', () => {
  test.for([
    [{ origin: 'https://evil.example.org' }],
    [{ origin: 'null' }],
    [{}],
    [{ origin: ORIGIN, 'sec-fetch-site': 'cross-site' }],
    [{ origin: ORIGIN, 'sec-fetch-site': 'same-site' }],
  ])('can’t send a form in somebody’s name: %j', async ([headers]) => {
    for (const path of ['/sign-in', '/sign-out']) {
      const response = await stage.post(path, { token: TOKEN }, headers as Record<string, string>)
      expect(response.status).toBe(403)
      expect(response.headers.get('set-cookie')).toBeNull()
    }
  })

  test.for([
    '//evil.example.org',
    '/\\evil.example.org',
    'https://evil.example.org',
    'javascript:alert(1)',
    '/a\nb',
  ])('can’t have somebody sent to %j after he signed in', async (to) => {
    const response = await stage.post('/sign-in', { token: TOKEN, to })
    expect(response.headers.get('location')).toBe('/')
  })
})
