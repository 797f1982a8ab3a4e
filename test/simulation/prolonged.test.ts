/** Expiries that a copy postpones: whose they are, and what a cut-off verification leaves. */
import { expect, test } from 'vitest'
import type { Step } from '../../shared/relay/steps.ts'
import { parseVerified } from '../../shared/work/copy/marks.ts'
import { instanceOf, seedInstance, seedProject, write } from '../emulator/scene.ts'
import { passIdly } from './passing.ts'
import { restoreStep } from './restore-step.ts'
import { createWorld, type Remote, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const start = new Date('2026-11-20T00:00:30Z')

async function begin(policy: object): Promise<World> {
  const world = createWorld({ start })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 20e6)
  await world.clock.advance(world.clock.now() + 10)
  await world.apply({ policies: { q: { remotes: ['main'], ...policy } } })
  return world
}

const snapshotsOn = (world: World, remote: Remote) =>
  instanceOf(world.incus[remote], { name: 'web' }).snapshots

test.each([
  ['within the week that a copy postpones it by', '2026-11-26T00:00:00.000Z'],
  ['by two weeks', '2026-12-05T00:00:00.000Z'],
])('an expiry that a person makes later, %s, holds: neither side loses it before', async (_, until) => {
  const world = await begin({ schedule: '0 */3 * * *', expiry: '2d', copy: { remote: 'backup' } })
  await passIdly(world, 12 * HOUR + 10 * MINUTE)
  const name = 'q-20261120T0300Z'
  expect(snapshotsOn(world, 'backup').has(name)).toBe(true)
  const path = `/1.0/instances/web/snapshots/${name}`
  await world.incus.main.handle({ method: 'PATCH', path, body: { expires_at: until } })
  while (world.clock.now() < Date.parse(until) - HOUR) {
    await passIdly(world, HOUR)
    expect([...snapshotsOn(world, 'main').keys()]).toContain(name)
    expect([...snapshotsOn(world, 'backup').keys()]).toContain(name)
  }
  await passIdly(world, DAY)
  expect([...snapshotsOn(world, 'main').keys()]).not.toContain(name)
})

const NEVER = '0001-01-01T00:00:00Z'

/** Whoever makes an end later, it doesn't become earlier by that. */
const LATER: [string, string, number | null][] = [
  ['never', NEVER, null],
  ['in 20 days', '2026-12-10T00:00:00.000Z', Date.parse('2026-12-10')],
]

/** They change nothing, and there are many. */
const GLANCES = ['/1.0', '/1.0/instances?all-projects=true']

/** Before one after the other of a copy's requests, but for those during which Incus itself changes the expiry. */
test.each([
  ['never', NEVER, null],
  ['in 5 days', '2026-11-25T00:00:00.000Z', Date.parse('2026-11-25')],
] as const)('a snapshot that somebody has end %s at any moment of a copy stays so', async (_, text, ms) => {
  const name = 'q-20261120T0300Z'
  let at = 0
  for (let made = 1; at < made; ) {
    at += 1
    const world = await begin({ schedule: '0 */3 * * *', expiry: '2d', copy: { remote: 'backup' } })
    await passIdly(world, 9 * HOUR - 2 * MINUTE)
    let asked = 0
    world.weather.now = (_remote, { path }) => {
      if (path.includes('/wait') || GLANCES.includes(path)) return null
      asked += 1
      const one = snapshotsOn(world, 'main').get(name)
      if (asked === at && one !== undefined) one.expires = { text, ms }
      return null
    }
    await passIdly(world, 10 * MINUTE)
    made = asked
    world.weather.now = () => null
    await passIdly(world, 3 * HOUR + 10 * MINUTE)
    if (at <= made) expect([at, snapshotsOn(world, 'main').get(name)?.expires.ms]).toEqual([at, ms])
  }
  expect(at).toBeGreaterThan(50)
})

test('a snapshot that somebody has end later while its copy waits for others ends then', async () => {
  const world = await begin({ schedule: '0 */3 * * *', expiry: '2d', copy: { remote: 'backup' } })
  for (const name of ['aa', 'bb']) write(seedInstance(world.incus.main, { name, running: true }), name, 20e6)
  await passIdly(world, 9 * HOUR + 10 * MINUTE)
  world.incus.main.bandwidth = 20e6 / (90 * 60)
  for (const name of ['aa', 'bb', 'web']) write(instanceOf(world.incus.main, { name }), `${name}2`, 20e6)
  await passIdly(world, 3 * HOUR - 5 * MINUTE)
  const name = 'q-20261120T0600Z'
  const endOf = () => snapshotsOn(world, 'main').get(name)?.expires.ms
  expect(endOf()).toBe(Date.parse('2026-11-22T06:00Z'))
  const until = '2026-11-24T12:00:00.000Z'
  const path = `/1.0/instances/web/snapshots/${name}`
  await world.incus.main.handle({ method: 'PATCH', path, body: { expires_at: until } })
  await passIdly(world, 2 * HOUR)
  expect(endOf()).toBeGreaterThan(Date.parse(until))
  await passIdly(world, 2 * HOUR)
  expect(endOf()).toBe(Date.parse(until))
})

test.each(LATER)(
  'a snapshot that somebody has end %s stays so while its copy lags behind',
  async (_, until, ms) => {
    const world = await begin({ schedule: '0 */3 * * *', expiry: '2d', copy: { remote: 'backup' } })
    await passIdly(world, 9 * HOUR + 10 * MINUTE)
    const name = 'q-20261120T0900Z'
    const path = `/1.0/instances/web/snapshots/${name}`
    await world.incus.main.handle({ method: 'PATCH', path, body: { expires_at: until } })
    world.incus.backup.kill()
    await passIdly(world, 6 * DAY)
    expect(snapshotsOn(world, 'main').get(name)?.expires.ms).toBe(ms)
  },
)

test.each(LATER)('a restore leaves a snapshot that somebody has end %s as it is', async (_, until, ms) => {
  const world = await begin({ schedule: '0 */3 * * *', expiry: '1d' })
  await passIdly(world, 9 * HOUR + 10 * MINUTE)
  const name = 'q-20261120T0900Z'
  const path = `/1.0/instances/web/snapshots/${name}`
  await world.incus.main.handle({ method: 'PATCH', path, body: { expires_at: until } })
  await world.clock.advance(world.clock.now() + MINUTE)
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  const expiresAt = new Date(world.clock.now() + DAY).toISOString()
  const steps: Step[] = [restoreStep({ ref, snapshot: name, expiresAt })]
  const relay = world.places[0]?.relay
  const said = await world.clock.settle(relay?.batch([{ id: 'r', steps }]) ?? Promise.reject())
  expect(said.answers.get('r')).toEqual([{ ok: true }])
  expect(snapshotsOn(world, 'main').get(name)?.expires.ms).toBe(ms)
})

test('a snapshot whose own end passed while the copy lagged behind goes with the verification', async () => {
  const world = await begin({ schedule: '0 */3 * * *', expiry: '4H', copy: { remote: 'backup' } })
  await passIdly(world, 9 * HOUR + 10 * MINUTE)
  const name = 'q-20261120T0900Z'
  world.incus.backup.kill()
  await passIdly(world, 8 * HOUR)
  expect(snapshotsOn(world, 'main').get(name)?.expires.ms).toBeGreaterThan(world.clock.now() + DAY)
  world.incus.backup.start()
  await passIdly(world, 4 * HOUR)
  expect([...snapshotsOn(world, 'main').keys()]).not.toContain(name)
})

test('a snapshot whose own end passed, and that somebody holds while its copy is verified, stays', async () => {
  const world = await begin({ schedule: '0 */3 * * *', expiry: '4H', copy: { remote: 'backup' } })
  await passIdly(world, 9 * HOUR + 10 * MINUTE)
  const name = 'q-20261120T0900Z'
  world.incus.backup.kill()
  await passIdly(world, 8 * HOUR)
  world.incus.backup.start()
  let isHeld = false
  world.incus.backup.faults = ({ method, body }) => {
    if (method === 'PATCH' && JSON.stringify(body ?? '').includes('"user.stapes.copying":""') && !isHeld) {
      isHeld = true
      instanceOf(world.incus.main, { name: 'web' }).config[`user.stapes.hold.${name}`] = 'for the auditor'
    }
    return null
  }
  await passIdly(world, 4 * HOUR)
  expect([isHeld, [...snapshotsOn(world, 'main').keys()]]).toEqual([true, expect.arrayContaining([name])])
})

test('by a clock of the relay that is ahead of the server’s, nothing goes before the server would remove it', async () => {
  const world = await begin({ schedule: '0 */3 * * *', expiry: '46H', copy: { remote: 'backup' } })
  const behind = 40 * MINUTE
  for (const remote of ['main', 'backup'] as const) {
    world.incus[remote].skewMs = -behind
    // Its own end passes during the copy, by the relay's clock alone.
    world.incus[remote].copyMs = 75 * MINUTE
  }
  const ends = new Map<string, number>()
  let gone = 0
  for (let minute = 0; minute < 72 * 60; minute++) {
    await passIdly(world, MINUTE)
    const there = snapshotsOn(world, 'main')
    for (const [name, { second }] of there)
      if (!ends.has(name)) ends.set(name, second * 1000 + behind + 46 * HOUR)
    for (const [name, end] of ends) {
      if (there.has(name)) continue
      expect([name, world.clock.now() - behind]).toEqual([name, expect.toSatisfy((at) => at >= end - MINUTE)])
      ends.delete(name)
      gone += 1
    }
  }
  expect(gone).toBeGreaterThan(5)
})

test.each([
  ['*/5 * * * *', '1H', 12, 0],
  ['*/10 * * * *', '2H', 12, 5],
  ['0 * * * *', '12H', 12, 55],
  ['*/30 * * * *', '6H', 12, 27],
])(
  'by %s, kept for %s, no more than %i and a few are there, also where a copy takes %i minutes',
  async (schedule, expiry, count, minutes) => {
    const world = await begin({ schedule, expiry, copy: { remote: 'backup' } })
    for (const remote of ['main', 'backup'] as const) world.incus[remote].copyMs = minutes * MINUTE
    await passIdly(world, 16 * HOUR)
    expect(snapshotsOn(world, 'main').size).toBeGreaterThanOrEqual(count)
    expect(snapshotsOn(world, 'main').size).toBeLessThan(count + 5)
  },
)

test('two backup servers that are always copied to don’t keep a source from losing what has expired', async () => {
  const world = createWorld({ start })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 20e6)
  seedProject(world.incus.backup, 'two')
  await world.clock.advance(world.clock.now() + 10)
  const policy = { remotes: ['main'], expiry: '12H' }
  await world.apply({
    policies: {
      a: { ...policy, schedule: '0 * * * *', copy: { remote: 'backup' } },
      b: { ...policy, schedule: '30 * * * *', copy: { remote: 'backup', project: 'two' } },
    },
  })
  for (const remote of ['main', 'backup'] as const) world.incus[remote].copyMs = 40 * MINUTE
  await passIdly(world, 30 * HOUR)
  expect(snapshotsOn(world, 'main').size).toBeLessThan(34)
})

test.each([1, 2, 3, 4])(
  'a verification that is cut off at its change %i, with the source gone: what is marked lasts',
  async (at) => {
    const copy = { remote: 'backup', expiry: '1d' }
    const world = await begin({ schedule: '0 */6 * * *', keep: { last: 3 }, copy })
    await passIdly(world, 17 * HOUR + 59 * MINUTE)
    const marked = () =>
      parseVerified(instanceOf(world.incus.backup, { name: 'web' }).config['user.stapes.verified'])
    expect(marked().length).toBeGreaterThan(2)
    let changes = 0
    world.incus.backup.faults = ({ method }) => {
      if (method !== 'PATCH') return null
      changes += 1
      // From then on nothing arrives there, and the source is gone.
      if (changes >= at) world.incus.main.kill()
      return changes >= at ? { before: { status: 500, error: 'cut off' } } : null
    }
    await passIdly(world, 10 * MINUTE)
    expect(changes).toBeGreaterThanOrEqual(at)
    world.incus.backup.faults = () => null
    await passIdly(world, 36 * HOUR)
    const there = [...snapshotsOn(world, 'backup').values()]
    const lasting = marked().filter(([name, second]) =>
      there.some((one) => one.name === name && one.second === second && one.expires.ms === null),
    )
    expect(lasting.length).toBeGreaterThan(0)
  },
)
