/** A simulation says what really comes: the same decision, on servers of its own, against real ticks. */
import { expect, test } from 'vitest'
import { checkConfig } from '../../functions/api/apply.ts'
import type { Io } from '../../functions/run.ts'
import { simulateOnly } from '../../functions/simulate.ts'
import { installationOf, readConfig } from '../../functions/state/config.ts'
import { readLedger } from '../../functions/state/ledger.ts'
import { beginCourse, type Course } from '../../shared/simulate/course.ts'
import { forecast as forecastOf } from '../../shared/simulate/forecast.ts'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { dueMinuteAfter, minuteAfter } from './passing.ts'
import { seededRandom } from './random.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { createWorld, type Remote, settledRelay, type World } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const REMOTES: readonly Remote[] = ['main', 'backup']

type Settings = Record<string, unknown>

/** Policies that leave something to remove. */
function settingsFrom(random: () => number): Settings {
  const one = <T>(...of: T[]): T => of[Math.floor(random() * of.length)] as T
  const copy = one<object | false>(
    false,
    { remote: 'backup' },
    { remote: 'backup', expiry: '60H' },
    { remote: 'backup', keep: { last: 4 }, mirror: true },
  )
  return {
    remotes: ['main'],
    schedule: one('*/45 * * * *', '@hourly', '30 */3 * * *', '15 2,14 * * *'),
    keep: one<object>({}, { last: 3 }, { hourly: 6, daily: 2 }, { last: 12 }, { within: '9h' }),
    ...one<object>({}, {}, { expiry: '3d' }, { expiry: '80H' }),
    ...one<object>({}, { brake: false }),
    ...one<object>({}, { jitter: '7m' }),
    ...one<object>({}, {}, { grace: '7h' }, { grace: '30h' }),
    copy,
  }
}

/** Ticks until then; with `each`, one a minute, and it is called after each. Answers what the relay refused. */
async function pass(world: World, until: number, each?: () => void): Promise<number> {
  let refused = 0
  const next = () => (each === undefined ? dueMinuteAfter(world) : minuteAfter(world.clock.now()))
  for (let at = next(); at <= until; at = next()) {
    const ran = await world.tick(new Date(at))
    if ('results' in ran) refused += ran.results.filter(({ state }) => state === 'refused').length
    each?.()
  }
  if (world.clock.now() < until) await world.clock.advance(until)
  return refused
}

const names = (world: World, remote: Remote): string[] =>
  hasWeb(world, remote) ? [...instanceOf(world.incus[remote], { name: 'web' }).snapshots.keys()].sort() : []

function hasWeb(world: World, remote: Remote): boolean {
  try {
    instanceOf(world.incus[remote], { name: 'web' })
    return true
  } catch {
    return false
  }
}

const simulated = ({ incus }: Course, remote: Remote): string[] =>
  (incus.find({ remote, project: 'default', instance: 'web' })?.snapshots ?? []).map(([name]) => name).sort()

/** The course of that document from now on, which isn't applied. */
async function courseOf(world: World, document: object) {
  const [io] = world.places as [Io]
  const now = new Date(world.clock.now())
  const checked = await checkConfig(document, io, now)
  if (!checked.ok) throw new Error(checked.error.detail)
  const { stored } = checked.value
  const before = (await readConfig(io.state))?.config ?? stored.config
  const { ledger } = await readLedger(io.state, now)
  const seen = await settledRelay(world).inventory({ remotes: [...REMOTES] })
  if (!seen.ok || ledger === null) throw new Error('nothing was observed')
  const beginning = {
    ...{ stored, before, ledger, observed: seen.value, now },
    installation: installationOf(stored, io.keyDigest),
  }
  return { beginning, course: beginCourse(beginning) }
}

/** Both sides, at the moments that are looked at. */
type Seen = Record<Remote, string[]>

/** `first` is changed by `second`, which then is followed so many days. */
type Change = {
  seed: number
  first: Settings
  second: Settings
  minRetention?: number
  minutes?: number
  days?: number
}

function randomChange(seed: number): Change {
  const random = seededRandom(seed)
  const minRetention = random() < 0.3 ? 6 * 3600 : 0
  const [first, second] = [settingsFrom(random), settingsFrom(random)]
  return { seed, first, second, minRetention, minutes: Math.floor(random() * 600) }
}

/** A changed policy: what was told and planned, and what really came. */
async function change({ seed, first, second, minRetention = 0, minutes = 0, days = 2 }: Change) {
  const world = createWorld({ start, seed, minRetention })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 1e6)
  await world.apply({ policies: { q: first } })
  await pass(world, start.getTime() + 4 * DAY + minutes * MINUTE)

  const document = { policies: { q: { ...first, ...second } } }
  const { beginning, course } = await courseOf(world, document)
  const from = world.clock.now()
  const existing = { main: names(world, 'main'), backup: names(world, 'backup') }
  const { subjects } = forecastOf(beginning, { days, effort: 1e9 })
  await world.apply(document)
  // As after `npm run apply`.
  await world.tick(new Date(from))

  const went = new Map<string, number>()
  const look = (): void => {
    for (const remote of REMOTES) {
      const there = new Set(names(world, remote))
      for (const name of existing[remote].filter((one) => !there.has(one)))
        if (!went.has(`${remote} ${name}`)) went.set(`${remote} ${name}`, world.clock.now())
    }
  }
  const [real, planned]: [Seen[], Seen[]] = [[], []]
  let refused = 0
  for (const moment of [from + 7 * MINUTE, from + 5 * HOUR, from + DAY + 17 * MINUTE, from + days * DAY]) {
    refused += await pass(world, moment, look)
    course.advance(new Date(moment), 1e9)
    real.push({ main: names(world, 'main'), backup: names(world, 'backup') })
    planned.push({ main: simulated(course, 'main'), backup: simulated(course, 'backup') })
  }
  const removals = subjects.flatMap((one) => one.removals)
  // How many there were within the day before, only the relay remembers.
  const paced = refused > 0 || subjects.some((one) => one.paced)
  return { about: { seed, first, second }, real, planned, removals, went, paced }
}

test('what is simulated to go goes then, and later there is what was simulated, whatever the policies', async () => {
  let exact = 0
  for (let seed = 1; seed <= 16; seed++) {
    const changed = await change(randomChange(seed))
    if (changed.paced) continue
    exact += 1
    expectExact(changed)
  }
  expect(exact).toBeGreaterThan(8)
})

function expectExact({ about, real, planned, removals, went }: Awaited<ReturnType<typeof change>>): void {
  expect({ about, planned }).toEqual({ about, planned: real })
  const keyOf = ({ of, snapshot }: { of: string; snapshot: string }) => `${of.split('/')[0]} ${snapshot}`
  const told = new Map(removals.map((one) => [keyOf(one), Date.parse(one.at)]))
  expect({ about, told: [...told.keys()].sort() }).toEqual({ about, told: [...went.keys()].sort() })
  const late = [...told].filter(([key, at]) => Math.abs(at - (went.get(key) ?? 0)) > 3 * MINUTE)
  expect({ about, late }).toEqual({ about, late: [] })
}

test.for([
  {
    what: 'the expiry of a copy',
    first: { schedule: '15 */6 * * *', keep: {}, copy: { remote: 'backup', expiry: '2d' } },
    second: { copy: { remote: 'backup', expiry: '40H' } },
  },
  {
    what: 'an expiry that is postponed for the next refresh',
    first: { schedule: '0 0 1-31/4 * *', keep: {}, expiry: '3d', copy: { remote: 'backup' } },
    second: { jitter: '5m' },
  },
])('$what comes as it was simulated', async ({ first, second }) => {
  const changed = await change({ seed: 1, first: { remotes: ['main'], ...first }, second, days: 6 })
  expect(changed.went.size).toBeGreaterThan(0)
  expectExact(changed)
})

test('a simulation changes neither servers nor state', async () => {
  const world = createWorld({ start })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 1e6)
  await world.apply({ policies: { q: { remotes: ['main'], schedule: '@hourly', keep: { last: 5 } } } })
  await pass(world, start.getTime() + 8 * HOUR)
  const [io] = world.places as [Io]
  const before = { names: names(world, 'main'), kv: { ...world.kv.counts }, config: world.kv.peek('config') }
  const calls: string[] = []
  world.weather.now = (_, { method }) => {
    if (method !== 'GET') calls.push(method)
    return null
  }
  const asked = { days: 30, effort: 10_000 }
  const found = await world.clock.settle(simulateOnly(asked, io, new Date(world.clock.now())))
  expect(found?.ok && found.value.forecast.subjects[0]?.removals.length).toBe(6)
  expect(calls).toEqual([])
  const after = { names: names(world, 'main'), config: world.kv.peek('config') }
  expect(after).toEqual({ names: before.names, config: before.config })
  expect(world.kv.counts.writes).toBe(before.kv.writes)
})
