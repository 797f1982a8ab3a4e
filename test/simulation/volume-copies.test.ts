/** Copies of custom volumes on the backup server, by policy, in the whole product: verified, kept, and never overwritten. */
import { describe, expect, test } from 'vitest'
import type { Sending, Step } from '../../shared/relay/steps.ts'
import { addCustom, customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, seedInstance } from '../emulator/scene.ts'
import { type Custom, findPool } from '../emulator/state.ts'
import { ask, attack } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { createWorld, type Remote, type World } from './world.ts'

const STEP = 2 * MINUTE
const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default:data'
const VERSIONS: Version[] = ['6.0.4', '7.0.2']

type Given = { version?: Version; policy?: object; minRetention?: number; setUp?: (world: World) => void }

async function begin({ version = '6.0.4', policy = {}, minRetention = 0, setUp }: Given = {}) {
  const world = createWorld({ start: START, minRetention, versions: { main: version, backup: version } })
  seedInstance(world.incus.main, { name: 'web', running: true })
  attachVolume(world.incus.main, { name: 'web' }, 'data')
  Object.assign(on(world, 'main'), {
    description: 'of the shop',
    config: { 'user.for': 'shop', 'snapshots.schedule': '@daily', 'zfs.blocksize': '8KiB' },
  })
  write(world, 'first')
  setUp?.(world)
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', keep: { last: 3 }, copy: { remote: 'backup' } },
        select: { instances: [], volumes: ['default:*'] },
        ...policy,
      },
    },
  })
  return world
}

const on = (world: World, remote: Remote, name = 'data'): Custom => customOf(world.incus[remote], { name })
const namesOn = (world: World, remote: Remote, name = 'data'): string[] => [
  ...on(world, remote, name).snapshots.keys(),
]
const isThere = (world: World, name = 'data'): boolean =>
  findPool(world.incus.backup.state, 'default').volumes.has(`default/${name}`)

let content = 1
function write(world: World, marker: string, name = 'data'): void {
  content += 1
  on(world, 'main', name).disk = { held: 'whole', marker, bytes: 600_000, content }
}

const verified = (world: World, name = 'data'): string[] =>
  (on(world, 'backup', name).config['user.stapes.verified'] ?? '')
    .split(' ')
    .map((pair) => pair.split('@')[0] ?? '')

const told = async (world: World): Promise<string> => JSON.stringify((await statusIn(world)).conditions)

/** All that counts as a backup there has its data. */
function expectGood(world: World, name = 'data'): void {
  const { snapshots } = on(world, 'backup', name)
  for (const one of verified(world, name)) {
    const there = snapshots.get(one)
    if (there !== undefined) expect([one, there.disk.held]).toEqual([one, 'whole'])
  }
}

describe.each(VERSIONS)('on %s, a covered volume', (version) => {
  test.each(['pull', 'push'])(
    'is copied and refreshed by %s, with its snapshots, and verified',
    async (mode) => {
      const copy = { remote: 'backup', transferMode: mode, keep: { last: 5 }, expiry: '30d' }
      const world = await begin({ version, policy: { copy, keep: { last: 6 } } })
      await pass(world, HOUR + 10 * MINUTE, STEP)
      write(world, 'second')
      await pass(world, 2 * HOUR, STEP)
      const there = on(world, 'backup')
      expect(verified(world).at(-1)).toBe('hourly-20261120T0300Z')
      expect(namesOn(world, 'backup').at(-1)).toBe('hourly-20261120T0300Z')
      expect(there.snapshots.get('hourly-20261120T0100Z')?.disk.marker).toBe('first')
      expect(there.snapshots.get('hourly-20261120T0300Z')?.disk.marker).toBe('second')
      expect(there.snapshots.get('hourly-20261120T0300Z')?.expires.ms).toBeNull()
      expect([there.description, there.content]).toEqual(['of the shop', 'filesystem'])
      expect(there.config).toMatchObject({ 'user.for': 'shop', 'user.stapes.replica-of': KEY })
      expect(Object.keys(there.config).some((key) => key.startsWith('snapshots.'))).toBe(false)
      expectGood(world)
      const { promises } = await statusIn(world)
      expect(promises.map(({ subject, kind, state }) => [subject, kind, state])).toEqual([
        [KEY, 'snapshot', 'kept'],
        [KEY, 'copy', 'kept'],
      ])
    },
  )

  test('keeps on the copy what the policy says, and loses there what the source removed', async () => {
    const copy = { remote: 'backup', keep: { last: 2 } }
    const world = await begin({ version, policy: { copy } })
    await pass(world, 8 * HOUR + 10 * MINUTE, 5 * MINUTE)
    expect(namesOn(world, 'backup').at(-1)).toBe('hourly-20261120T0800Z')
    expect(namesOn(world, 'backup').length).toBeLessThanOrEqual(3)
    expect(namesOn(world, 'main').length).toBeLessThanOrEqual(5)
    expectGood(world)
  })

  test('is made anew where the backup server was killed in the first copy', async () => {
    const world = await begin({
      version,
      setUp: ({ incus }) => Object.assign(incus.main, { bandwidth: 1_000 }),
    })
    await pass(world, 4 * MINUTE)
    expect(world.incus.backup.volumeTransfers.size).toBe(1)
    world.incus.backup.kill()
    world.incus.main.bandwidth = null
    world.incus.backup.start()
    await pass(world, 2 * HOUR, STEP)
    expect(verified(world).at(-1)).toBe('hourly-20261120T0200Z')
    expectGood(world)
    expect([...on(world, 'backup').snapshots.values()].every(({ disk }) => disk.held === 'whole')).toBe(true)
  })

  test('has sent again what was cut off in a refresh, and nothing verified is lost', async () => {
    const world = await begin({ version })
    await pass(world, HOUR + 10 * MINUTE, STEP)
    write(world, 'second')
    world.incus.main.bandwidth = 5_000
    await pass(world, 52 * MINUTE)
    expect(world.incus.backup.volumeTransfers.size).toBe(1)
    world.incus.backup.kill()
    world.incus.main.bandwidth = null
    world.incus.backup.start()
    expect(on(world, 'backup').snapshots.get('hourly-20261120T0200Z')?.disk.held).toBe('phantom')
    expect(verified(world)).not.toContain('hourly-20261120T0200Z')
    await pass(world, HOUR, STEP)
    expect(on(world, 'backup').snapshots.get('hourly-20261120T0200Z')?.disk.marker).toBe('second')
    expect(on(world, 'backup').snapshots.get('hourly-20261120T0100Z')?.disk.marker).toBe('first')
    expectGood(world)
  })
})

test('one copy runs at a time, although Incus would begin a second one', async () => {
  const world = await begin({ setUp: ({ incus }) => Object.assign(incus.main, { bandwidth: 1_000 }) })
  await pass(world, 4 * MINUTE)
  for (let asked = 0; asked < 2; asked++) await ask(world, { do: 'copy', instances: [KEY] })
  world.relay.restart()
  await pass(world, 3 * MINUTE)
  await ask(world, { do: 'copy', instances: [KEY] })
  expect(world.incus.main.volumeTransfers.size).toBe(1)
  world.incus.main.bandwidth = null
  await pass(world, HOUR, STEP)
  expectGood(world)
})

describe('is left alone', () => {
  test('a volume of that name that stapes did not make', async () => {
    const world = await begin({
      setUp: ({ incus }) => addCustom(incus.backup, { pool: 'default', project: 'default', name: 'data' }),
    })
    on(world, 'backup').disk.marker = 'theirs'
    await pass(world, HOUR + 10 * MINUTE, STEP)
    expect(on(world, 'backup').disk.marker).toBe('theirs')
    expect(await told(world)).toContain('already has a volume of this name, and stapes did not make it')
  })

  test('a copy that somebody has attached: a refresh would be written under its user', async () => {
    const world = await begin()
    await pass(world, HOUR + 10 * MINUTE, STEP)
    const user = seedInstance(world.incus.backup, { name: 'standby', running: true })
    user.devices.data = { type: 'disk', pool: 'default', source: 'data', path: '/data' }
    on(world, 'backup').disk.marker = 'used'
    await pass(world, 2 * HOUR, 5 * MINUTE)
    expect(on(world, 'backup').disk.marker).toBe('used')
    expect(namesOn(world, 'backup').at(-1)).toBe('hourly-20261120T0100Z')
    expect(await told(world)).toMatch(
      /the copy is attached to backup\/default\/standby on the target: detach it/,
    )
    delete user.devices.data
    await pass(world, 5 * HOUR, 5 * MINUTE)
    expect(namesOn(world, 'backup').at(-1)).toBe('hourly-20261120T0800Z')
  })

  test('the copy of a volume that was deleted and made anew', async () => {
    const world = await begin()
    await pass(world, 2 * HOUR + 10 * MINUTE, STEP)
    const before = namesOn(world, 'backup')
    findPool(world.incus.main.state, 'default').volumes.clear()
    addCustom(world.incus.main, { pool: 'default', project: 'default', name: 'data' })
    await pass(world, 2 * HOUR, 5 * MINUTE)
    expect(namesOn(world, 'backup')).toEqual(expect.arrayContaining(before))
    expectGood(world)
    expect(await told(world)).toMatch(/gone from the source|no snapshot in common/)
  })

  test('the copies of two volumes that changed their names', async () => {
    const world = await begin({
      setUp: ({ incus }) => addCustom(incus.main, { pool: 'default', project: 'default', name: 'logs' }),
    })
    write(world, 'logs', 'logs')
    await pass(world, 2 * HOUR + 10 * MINUTE, STEP)
    const { volumes } = findPool(world.incus.main.state, 'default')
    const [data, logs] = [on(world, 'main'), on(world, 'main', 'logs')]
    volumes.set('default/data', Object.assign(logs, { name: 'data' }))
    volumes.set('default/logs', Object.assign(data, { name: 'logs' }))
    await pass(world, 2 * HOUR, 5 * MINUTE)
    expect(on(world, 'backup').snapshots.get('hourly-20261120T0200Z')?.disk.marker).toBe('first')
    expect(namesOn(world, 'backup').at(-1)).toBe('hourly-20261120T0200Z')
    expect(await told(world)).toContain('made from another volume than the one that is called')
  })

  test('what is verified, while the volumes of the backup server can’t be listed', async () => {
    const world = await begin()
    await pass(world, HOUR + 10 * MINUTE, STEP)
    world.weather.now = (remote, { path }) =>
      remote === 'backup' && path.includes('/volumes/custom?') ? 500 : null
    await pass(world, 3 * HOUR, 5 * MINUTE)
    expect(namesOn(world, 'main')).toContain('hourly-20261120T0100Z')
    expect(await told(world)).toMatch(/remote backup: the custom volumes of its pool .* can't be listed/)
    expect(await told(world)).not.toContain('is there already')
    world.weather.now = () => null
    await pass(world, 5 * HOUR, 5 * MINUTE)
    expect(verified(world).at(-1)).toBe('hourly-20261120T0900Z')
    expectGood(world)
  })
})

describe('says what to do', () => {
  test('where the backup server has no pool of that name, and copies into the one that is named', async () => {
    const world = await begin({
      setUp: ({ incus }) => {
        const pool = findPool(incus.backup.state, 'default')
        incus.backup.state.pools.set('big', { ...pool, name: 'big', volumes: new Map() })
        const source = findPool(incus.main.state, 'default')
        incus.main.state.pools.set('fast', { ...source, name: 'fast', volumes: new Map() })
        addCustom(incus.main, { pool: 'fast', project: 'default', name: 'db' })
      },
      policy: { select: { instances: [], volumes: ['fast:db'] } },
    })
    await pass(world, HOUR + 10 * MINUTE, STEP)
    expect(await told(world)).toContain('there is no storage pool')
    await world.apply({
      policies: {
        hourly: {
          ...{ remotes: ['main'], schedule: '@hourly', keep: { last: 3 } },
          copy: { remote: 'backup', pool: 'big' },
          select: { instances: [], volumes: ['fast:db'] },
        },
      },
    })
    await pass(world, HOUR, STEP)
    const copy = customOf(world.incus.backup, { pool: 'big', name: 'db' })
    expect(copy.config['user.stapes.replica-of']).toBe('main/default/fast:db')
    expect(copy.snapshots.size).toBeGreaterThan(0)
    expect(await told(world)).not.toContain('which no policy puts here')
  })

  test('where the project there has no volumes of its own', async () => {
    const world = await begin({
      policy: { copy: { remote: 'backup', project: 'shared' } },
      setUp: ({ incus }) => {
        const body = { name: 'shared', config: { 'features.storage.volumes': 'false' } }
        void incus.backup.handle({ method: 'POST', path: '/1.0/projects', body })
      },
    })
    await pass(world, HOUR + 10 * MINUTE, STEP)
    expect(await told(world)).toContain('has no volumes of its own')
    expect(isThere(world)).toBe(false)
  })

  test('on a cluster', async () => {
    const world = await begin({ setUp: ({ incus }) => Object.assign(incus.backup, { clustered: true }) })
    await pass(world, HOUR + 10 * MINUTE, STEP)
    expect(await told(world)).toContain('backup is a cluster')
    expect(isThere(world)).toBe(false)
  })
})

describe('whoever has stolen the signing key', () => {
  const ref = (remote: string, instance = 'default:data') => ({ remote, project: 'default', instance })
  const sendingOf = (world: World): Sending => ({
    ...{ source: ref('main'), target: ref('backup'), transferMode: 'pull', pool: 'default', member: null },
    ...{
      first: true,
      startOver: true,
      unverified: [],
      owner: on(world, 'backup').config['user.stapes.owner'] ?? '',
    },
    ...{ transfer: { id: 'x', from: 0, names: [] }, listed: namesOn(world, 'backup'), unfinished: null },
    ...{ verified: [], lasting: [], mirrored: namesOn(world, 'backup'), excludeOlder: false },
    ...{ sourceServer: 'ab', inconsistent: false, extended: {} },
  })

  test('loses none that is verified before its time, nor the newest', async () => {
    const world = await begin({ minRetention: 30 * 86_400, policy: { keep: { last: 9 } } })
    await pass(world, 5 * HOUR + 10 * MINUTE, 5 * MINUTE)
    const before = namesOn(world, 'backup')
    const end = new Date(world.clock.now() + MINUTE).toISOString()
    await attack(world, [
      ...before.map((snapshot): Step => ({ do: 'expire', ref: ref('backup'), snapshot })),
      ...before.map((snapshot): Step => ({ do: 'set-expiry', ref: ref('backup'), snapshot, expiresAt: end })),
    ])
    await world.clock.advance(new Date(world.clock.now() + 10 * MINUTE))
    expect(namesOn(world, 'backup')).toEqual(before)
  })

  test('refreshes no copy that somebody has attached', async () => {
    const world = await begin()
    await pass(world, 2 * HOUR + 10 * MINUTE, 5 * MINUTE)
    const user = seedInstance(world.incus.backup, { name: 'standby', running: true })
    user.devices.data = { type: 'disk', pool: 'default', source: 'data', path: '/data' }
    on(world, 'backup').disk.marker = 'used'
    const step = {
      ...{ ...sendingOf(world), do: 'copy' as const, first: false, startOver: false },
      transfer: { id: 'x', from: Math.floor(world.clock.now() / 1000), names: [] },
    }
    expect(await attack(world, [step])).toContain('the copy is attached')
    delete user.devices.data
    expect(await attack(world, [step])).toContain('"ok":true')
  })

  test('overwrites no copy with another volume, and makes none of an instance', async () => {
    const world = await begin({
      setUp: ({ incus }) => addCustom(incus.main, { pool: 'default', project: 'default', name: 'logs' }),
    })
    await pass(world, 2 * HOUR + 10 * MINUTE, 5 * MINUTE)
    const before = namesOn(world, 'backup')
    const sending = { ...sendingOf(world), do: 'copy' as const, source: ref('main', 'default:logs') }
    const answered = await attack(world, [
      sending,
      { ...sending, first: false, startOver: false, transfer: { id: 'x', from: 1, names: [] } },
      { ...sending, source: ref('main'), first: true, startOver: true },
      { ...sending, source: ref('main', 'web'), first: true, startOver: false },
    ])
    await world.clock.advance(new Date(world.clock.now() + 10 * MINUTE))
    expect(answered.match(/"ok":true/g) ?? []).toEqual([])
    expect(namesOn(world, 'backup')).toEqual(before)
    expect(on(world, 'backup').disk.marker).toBe('first')
  })
})
