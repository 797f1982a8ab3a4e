/** Custom volumes under the same policies, in the whole product: their snapshots, holds, removals and promises. */
import { describe, expect, test } from 'vitest'
import { simulateOnly } from '../../functions/simulate.ts'
import type { Step } from '../../shared/relay/steps.ts'
import { customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, instanceOf, seedInstance, write } from '../emulator/scene.ts'
import type { Custom } from '../emulator/state.ts'
import { ask, attack } from './asking.ts'
import { pass } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default:data'
const OURS = /^(hourly|manual)-\d{8}T\d{4}Z$/

const VERSIONS: Version[] = ['6.0.4', '7.0.2']

async function begin(policy: object, version: Version = '6.0.4', setUp?: (world: World) => void) {
  const world = createWorld({ start: START, versions: { main: version, backup: version } })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'data', 1000)
  attachVolume(world.incus.main, { name: 'web' }, 'data')
  Object.assign(data(world), { description: 'of the shop' })
  setUp?.(world)
  await world.apply({
    policies: {
      hourly: { remotes: ['main'], schedule: '@hourly', select: { volumes: ['attached'] }, ...policy },
    },
  })
  return world
}

const data = (world: World, name = 'data'): Custom => customOf(world.incus.main, { name })
const namesOf = (world: World, name = 'data'): string[] => [...data(world, name).snapshots.keys()]

const REF = { remote: 'main', project: 'default', instance: 'default:data' }

describe.each(VERSIONS)('on %s, an attached volume', (version) => {
  test('gets one snapshot a slot, keeps what the policy says, and is kept as it was otherwise', async () => {
    const world = await begin({ keep: { last: 3 } }, version)
    await pass(world, 6 * HOUR + 10 * MINUTE)
    const names = namesOf(world)
    expect(names.every((name) => OURS.test(name))).toBe(true)
    expect(new Set(names).size).toBe(names.length)
    expect(names.slice(-3)).toEqual([
      'hourly-20261120T0400Z',
      'hourly-20261120T0500Z',
      'hourly-20261120T0600Z',
    ])
    expect(names.length).toBeLessThanOrEqual(4)
    expect(data(world).description).toBe('of the shop')
    expect([...instanceOf(world.incus.main, { name: 'web' }).snapshots.keys()].at(-1)).toBe(names.at(-1))
  })

  test('loses none that somebody else made, and none that is held', async () => {
    const world = await begin({ keep: { last: 2 } }, version)
    await pass(world, HOUR + 10 * MINUTE)
    const [first = ''] = namesOf(world)
    await world.incus.main.handle({
      method: 'POST',
      path: '/1.0/storage-pools/default/volumes/custom/data/snapshots',
      body: { name: 'by-hand' },
    })
    const held = await ask(world, { do: 'hold', instance: KEY, snapshot: first, note: 'for the audit' })
    expect(held.refusal).toBeNull()
    expect(data(world).config).toMatchObject({ [`user.stapes.hold.${first}`]: 'for the audit' })
    expect(data(world).description).toBe('of the shop')
    await pass(world, 6 * HOUR, 5 * MINUTE)
    expect(namesOf(world)).toEqual(expect.arrayContaining([first, 'by-hand']))
    await ask(world, { do: 'release', instance: KEY, snapshot: first })
    await pass(world, 2 * DAY, 10 * MINUTE)
    expect(namesOf(world)).toContain('by-hand')
    expect(namesOf(world)).not.toContain(first)
  })

  test('gets one on request, which ends by itself', async () => {
    const world = await begin({ manual: { expiry: '12H' } }, version)
    await pass(world, HOUR + 10 * MINUTE)
    const ran = await ask(world, { do: 'snapshot', instances: [KEY] })
    expect(ran.refusal).toBeNull()
    const manual = namesOf(world).filter((name) => name.startsWith('manual-'))
    expect(manual).toHaveLength(1)
    expect(instanceOf(world.incus.main, { name: 'web' }).snapshots.has(manual[0] ?? '')).toBe(false)
    await pass(world, 13 * HOUR, 5 * MINUTE)
    expect(namesOf(world).filter((name) => name.startsWith('manual-'))).toEqual([])
  })

  test('has a snapshot stay longer', async () => {
    const world = await begin({ manual: { expiry: '12H' } }, version)
    await ask(world, { do: 'snapshot', instances: [KEY] })
    const [snapshot = ''] = namesOf(world).filter((name) => name.startsWith('manual-'))
    const ran = await ask(world, { do: 'expiry', instance: KEY, snapshot, expiry: '30d' })
    expect(ran.refusal).toBeNull()
    expect(data(world).snapshots.get(snapshot)?.expires.ms).toBeGreaterThan(world.clock.now() + 29 * DAY)
    expect(data(world).snapshots.get(snapshot)?.description).toBe('of the shop')
  })

  test('has a removal by name taken back', async () => {
    const world = await begin({ keep: { last: 99 } }, version)
    await pass(world, 4 * HOUR + 10 * MINUTE)
    const snapshot = 'hourly-20261120T0200Z'
    await ask(world, { do: 'expire', instances: [KEY], snapshots: [snapshot] })
    expect(data(world).snapshots.get(snapshot)?.expires.ms).toBeGreaterThan(world.clock.now() + DAY)
    const undone = await ask(world, { do: 'undo', instance: KEY, snapshot })
    expect(undone.refusal).toBeNull()
    expect(data(world).snapshots.get(snapshot)?.expires.ms).toBeNull()
    expect(data(world).snapshots.get(snapshot)?.description).toBe('of the shop')
    expect(Object.keys(data(world).config)).toEqual([])
  })
})

test('what may be partial after a power cut is taken again under another name, and goes', async () => {
  const world = await begin({})
  await pass(world, HOUR - MINUTE)
  world.incus.main.snapshotMs = 20_000
  const tick = world.tick(new Date('2026-11-20T01:00:30Z'))
  await Promise.resolve()
  world.incus.main.faults = ({ path, method }) =>
    method === 'POST' && path.includes('/custom/') ? { after: 'reset' } : null
  await tick
  world.incus.main.kill()
  world.incus.main.faults = () => null
  world.incus.main.start()
  world.incus.main.snapshotMs = 0
  await pass(world, 2 * HOUR)
  const names = namesOf(world).filter((name) => name.startsWith('hourly-20261120T01'))
  expect(names).toHaveLength(1)
  expect(data(world).snapshots.get(names[0] ?? '')?.disk.held).toBe('whole')
})

describe('which volumes a policy covers', () => {
  const others = (world: World): void => {
    attachVolume(world.incus.main, { name: 'web' }, 'logs')
    attachVolume(world.incus.main, { name: 'web' }, 'db-1')
  }

  test('none, if it says nothing of them; those that are attached are told', async () => {
    const world = await begin({ select: {} })
    await pass(world, HOUR + 10 * MINUTE)
    expect(namesOf(world)).toEqual([])
    expect(JSON.stringify(await statusIn(world))).toContain("doesn't back up its custom volume default/data")
  })

  test('by pool and name', async () => {
    const world = await begin({ select: { volumes: ['default:db-*'] } }, '7.0.2', others)
    await pass(world, HOUR + 10 * MINUTE)
    expect([namesOf(world), namesOf(world, 'logs')]).toEqual([[], []])
    expect(namesOf(world, 'db-1').length).toBeGreaterThan(0)
    expect(JSON.stringify(await statusIn(world))).toContain('its custom volumes default/data, default/logs')
  })

  test('attached ones without those that are excluded, each by its own key or for its instance', async () => {
    const world = await begin({}, '6.0.4', (it) => {
      others(it)
      data(it, 'logs').config['user.stapes.exclude'] = 'true'
      seedInstance(it.incus.main, { name: 'ci', config: { 'user.stapes.volumes.exclude': 'true' } })
      attachVolume(it.incus.main, { name: 'ci' }, 'scratch')
    })
    await pass(world, HOUR + 10 * MINUTE)
    expect([namesOf(world, 'logs'), namesOf(world, 'scratch')]).toEqual([[], []])
    expect(namesOf(world, 'db-1').length).toBeGreaterThan(0)
  })

  test('no ISO image: Incus takes no snapshots of one, and that is said', async () => {
    const world = await begin({}, '7.0.2', (it) => Object.assign(data(it), { content: 'iso' }))
    await pass(world, HOUR + 10 * MINUTE)
    expect(JSON.stringify(await statusIn(world))).toContain('ISO image')
    expect(namesOf(world)).toEqual([])
  })
})

test('a covered volume is promised and told like an instance', async () => {
  const world = await begin({ copy: { remote: 'backup' } })
  await pass(world, 2 * HOUR + 10 * MINUTE)
  const told = async () => JSON.stringify((await statusIn(world)).conditions)
  const { promises } = await statusIn(world)
  const mine = promises.filter(({ subject }) => subject === KEY)
  expect(mine.map(({ kind, state }) => [kind, state])).toEqual([
    ['snapshot', 'kept'],
    ['copy', 'kept'],
  ])
  expect(await told()).not.toContain("doesn't back up its custom")
})

test('is not told as gone once no policy covers volumes any more', async () => {
  const world = await begin({})
  await pass(world, HOUR + 10 * MINUTE)
  await world.apply({ policies: { hourly: { remotes: ['main'], schedule: '@hourly' } } })
  await pass(world, HOUR, 5 * MINUTE)
  const { conditions, promises } = await statusIn(world)
  expect(JSON.stringify(conditions)).not.toContain('no longer listed')
  expect(promises.map(({ subject }) => subject)).not.toContain(KEY)
  expect(namesOf(world).length).toBeGreaterThan(0)
})

test('that is deleted is told as gone', async () => {
  const world = await begin({ select: { instances: [], volumes: ['default:*'] } })
  await pass(world, HOUR + 10 * MINUTE)
  world.incus.main.state.pools.get('default')?.volumes.clear()
  await pass(world, HOUR, 5 * MINUTE)
  expect(JSON.stringify((await statusIn(world)).conditions)).toMatch(/missing whole.*default:data/)
})

test('a simulation follows a volume that its instance brings under the policy, and its copy', async () => {
  const world = await begin({ keep: { last: 2 }, copy: { remote: 'backup', keep: { last: 2 } } })
  await pass(world, 4 * HOUR + 10 * MINUTE, 5 * MINUTE)
  const [io = expect.fail()] = world.places
  const asked = { subject: KEY, days: 1, effort: 20_000 }
  const simulated = await world.clock.settle(simulateOnly(asked, io, new Date(world.clock.now())))
  const [found] = simulated?.ok === true ? simulated.value.forecast.subjects : []
  expect(found).toMatchObject({ subject: KEY })
  expect(found?.removals.length).toBeGreaterThan(0)
})

test('a pool that lists no volumes makes them unknown, and removes nothing', async () => {
  const world = await begin({ keep: { last: 2 } }, '7.0.2')
  await pass(world, 3 * HOUR + 10 * MINUTE)
  const before = namesOf(world)
  world.weather.now = (_, { path }) => (path.includes('/volumes/custom?') ? 500 : null)
  await pass(world, 2 * HOUR, 5 * MINUTE)
  expect(namesOf(world)).toEqual(before)
  expect(JSON.stringify(await statusIn(world))).toContain('custom volumes of its pool')
  world.weather.now = () => null
  await pass(world, HOUR, 5 * MINUTE)
  expect(namesOf(world).at(-1)).toBe('hourly-20261120T0600Z')
})

describe('whoever has stolen the signing key', () => {
  test('removes no more than half of its snapshots within a day, and nothing that stapes did not take', async () => {
    const world = await begin({ keep: { last: 99 } })
    await pass(world, 10 * HOUR + 10 * MINUTE, 5 * MINUTE)
    data(world).snapshots.set('by-hand', {
      ...([...data(world).snapshots.values()][0] ?? expect.fail()),
      name: 'by-hand',
    })
    const [held = ''] = namesOf(world)
    await ask(world, { do: 'hold', instance: KEY, snapshot: held, note: 'x' })
    const before = namesOf(world)
    const end = new Date(world.clock.now() + MINUTE).toISOString()
    await attack(world, [
      ...before.map((snapshot): Step => ({ do: 'expire', ref: REF, snapshot })),
      ...before.map((snapshot): Step => ({ do: 'set-expiry', ref: REF, snapshot, expiresAt: end })),
      ...before.map((snapshot): Step => ({ do: 'expire-later', ref: REF, snapshot, expiresAt: end })),
    ])
    await world.clock.advance(new Date(world.clock.now() + 10 * MINUTE))
    expect(namesOf(world)).toEqual(expect.arrayContaining(['by-hand', held]))
    expect(namesOf(world).length).toBeGreaterThanOrEqual(Math.ceil(before.length / 2))
  })

  test('makes the relay do nothing else to it', async () => {
    const world = await begin({})
    await pass(world, HOUR + 10 * MINUTE)
    const answered = await attack(world, [
      { do: 'start', ref: REF },
      { do: 'thaw', ref: REF },
      { do: 'remove-clone', ref: REF },
      { do: 'finish-clone', ref: REF, start: true },
      { do: 'end-restore', ref: REF, safeties: [] },
      { do: 'export', ref: REF, snapshot: 's', store: 'store', name: '20261120T000000Z', optimized: false },
      {
        do: 'take',
        ref: { ...REF, instance: 'default:..' },
        snapshot: 'hourly-20261120T0100Z',
        stateful: false,
        expiresAt: null,
      },
    ])
    expect(answered.match(/not done to a custom volume/g)).toHaveLength(3)
    expect(answered).toContain('it has no store')
    expect(answered).toContain('it was not restored')
    expect(answered).toContain('it has no mark of this relay')
    expect(answered).not.toContain('"ok":true')
    expect(namesOf(world).length).toBeGreaterThan(0)
  })
})
