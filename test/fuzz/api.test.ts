/** Hostile requests at the API's door: without the token nothing happens, and with it nothing that is refused does. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { COUNT, growthOf, PATIENCE, SEED, silence } from './effort.ts'
import { createDice, type Dice, garble, hostileBody, TEXTS } from './hostile.ts'
import { DOCUMENT, digest, hashOf, openPlace, type Place } from './place.ts'
import { openWorker, SECRETS, type Worker } from './worker.ts'

type Call = { method: string; path: string; body?: unknown }

const restore = { do: 'restore', instance: 'web', snapshot: 'daily-20261120T0000Z', confirm: 'x' }
const put = { do: 'put', instance: 'web', snapshot: 'daily-20261120T0015Z', path: '/marker', confirm: 'x' }
const CALLS: readonly Call[] = [
  ...[
    '/',
    '/openapi.json',
    '/api/status',
    '/metrics',
    '/api/instances',
    '/api/config',
    '/api/history?count=5',
    '/api/progress',
    '/api/files?instance=web&snapshot=daily-20261120T0015Z&path=/&limit=5',
    '/api/files/content?instance=web&snapshot=daily-20261120T0015Z&path=/marker&from=backup',
  ].map((path) => ({ method: 'GET', path })),
  ...['/?q=web&page=2', '/subject/main/default/web', '/simulate?policy=daily', '/page.css'].map((path) => ({
    ...{ method: 'GET', path },
  })),
  ...['/sign-in', '/sign-out', '/simulate'].map((path) => ({ method: 'POST', path, body: 'token=x&to=/' })),
  { method: 'POST', path: '/api/plan', body: restore },
  { method: 'POST', path: '/api/plan', body: { document: DOCUMENT } },
  { method: 'POST', path: '/api/simulate', body: { document: DOCUMENT, days: 1, effort: 50 } },
  { method: 'POST', path: '/api/run', body: restore },
  { method: 'POST', path: '/api/run', body: put },
  { method: 'POST', path: '/api/plan', body: put },
  { method: 'POST', path: '/api/run', body: { do: 'expire', instances: ['*'], confirm: 'x' } },
  { method: 'POST', path: '/api/run', body: { do: 'hold', instance: 'web', snapshot: 'none', note: 'n' } },
  { method: 'POST', path: '/api/tick' },
  { method: 'PUT', path: '/api/config', body: DOCUMENT },
  { method: 'PUT', path: '/api/config?dryRun=true', body: DOCUMENT },
  {
    ...{ method: 'POST', path: '/api/retention/preview' },
    body: {
      ...{ keep: { daily: 2 }, timezone: 'UTC' },
      snapshots: [{ name: 'a', takenAt: '2026-11-20T00:00:00Z', held: false }],
    },
  },
]

let place: Place
let worker: Worker

beforeAll(async () => {
  silence()
  place = await openPlace()
  worker = openWorker(place)
  const body = JSON.stringify(DOCUMENT)
  const authorization = `Bearer ${SECRETS.api}`
  const applied = await worker.send('/api/config', { method: 'PUT', body, headers: { authorization } })
  expect(applied?.status).toBe(200)
})
afterAll(() => vi.unstubAllGlobals())

test('what runs is told, and nothing of it is asked of Incus', async () => {
  const authorization = `Bearer ${SECRETS.api}`
  const response = await worker.send('/api/progress', { method: 'GET', headers: { authorization } })
  expect([response?.status, await response?.json()]).toEqual([200, { at: expect.any(String), work: [] }])
})

const stateOf = (): string => hashOf(place.world) + digest([...worker.kv.values])

function hostile(dice: Dice): { path: string; init: RequestInit } {
  const { method, path, body } = dice.pick(CALLS)
  const changed = dice.chance(0.2) ? garble(path, dice) : path
  const given = body === undefined && dice.chance(0.8) ? undefined : hostileBody(body ?? {}, dice)
  const how = dice.chance(0.1)
    ? dice.pick(['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'])
    : method
  const init =
    given === undefined || how === 'GET' || how === 'HEAD' ? { method: how } : { method: how, body: given }
  return { path: changed.startsWith('/') ? changed : `/${changed}`, init }
}

const WRONG: ((dice: Dice) => string | null)[] = [
  () => null,
  (dice) => `Bearer ${garble(SECRETS.api, dice)}`,
  () => `Bearer ${SECRETS.api.slice(1)}`,
  () => `Bearer ${SECRETS.api}, Bearer x`,
  () => `Basic ${SECRETS.api}`,
  () => SECRETS.api,
  (dice) => dice.pick(TEXTS),
]

async function knock(share: number, dice: Dice, authorize: (dice: Dice) => string | null, each: () => void) {
  const statuses: Record<string, number> = {}
  let before = stateOf()
  for (let at = 0; at < COUNT * share; at++) {
    // Timers of the engine that were called off are forgotten when their time has come.
    if (at % 500 === 0) await place.world.clock.advance(place.world.clock.now() + 120_000)
    const { path, init } = hostile(dice)
    const token = authorize(dice)
    // Spaces around it are none of the token.
    if (authorize !== right && token?.replace(/\s+/g, ' ').trim() === right()) continue
    const headers = new Headers({ 'x-forwarded-for': '127.0.0.1' })
    try {
      if (token !== null) headers.set('authorization', token)
    } catch {
      headers.set('authorization', 'Bearer \u00e4')
    }
    const response = await worker.send(path, { ...init, headers })
    await response?.text()
    const status = String(response?.status ?? null)
    statuses[status] = (statuses[status] ?? 0) + 1
    if (authorize !== right) continue
    if (Number(status) >= 400) expect([path, init.body, stateOf()]).toEqual([path, init.body, before])
    else {
      each()
      before = stateOf()
    }
  }
  return statuses
}

const right = (): string => `Bearer ${SECRETS.api}`
const failures = (statuses: Record<string, number>): string[] =>
  Object.keys(statuses).filter((status) => status.startsWith('5'))

test(`${COUNT} without the token change nothing (seed ${SEED})`, { timeout: PATIENCE }, async () => {
  const before = stateOf()
  worker.kv.reset()
  const dice = createDice(SEED + 2)
  const grown = await growthOf(async (share) => {
    const statuses = await knock(
      share,
      dice,
      (one) => one.pick(WRONG)(one),
      () => {},
    )
    expect(failures(statuses)).toEqual([])
    expect(statuses['401']).toBeGreaterThan(0)
  })
  expect(stateOf()).toBe(before)
  expect({ grown, ...worker.kv.counts }).toEqual({ grown: 0, reads: 0, writes: 0, deletes: 0, lists: 0 })
})

test(`${COUNT} with the token: what is refused changes nothing, and none ends badly (seed ${SEED})`, {
  timeout: PATIENCE,
}, async () => {
  const known = [...worker.kv.values]
  // What one of them may do, the next one finds undone in KV.
  const reset = (): void => {
    worker.kv.values.clear()
    for (const [key, value] of known) worker.kv.values.set(key, value)
  }
  const dice = createDice(SEED + 3)
  const grown = await growthOf(async (share) => {
    const statuses = await knock(share, dice, right, reset)
    expect(failures(statuses)).toEqual([])
    expect(statuses['200']).toBeGreaterThan(0)
  })
  expect(grown).toBe(0)
})
