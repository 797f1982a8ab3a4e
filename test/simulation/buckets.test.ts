/** Buckets as files in a store, and as new ones of these, in the whole product: by request and by policy, whatever is killed. */
import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { workKey } from '../../shared/ledger/work.ts'
import { Secret } from '../../shared/secret.ts'
import { filesIn } from '../emulator/archive.ts'
import { addBucket, type Bucket } from '../emulator/buckets.ts'
import type { Version } from '../emulator/faces.ts'
import { seedInstance } from '../emulator/scene.ts'
import { findPool } from '../emulator/state.ts'
import { exportsOf } from '../long-work.ts'
import { ask, attack, type Ran } from './asking.ts'
import { pass, passIdly } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { killAfter, killRelay } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default::pics'
const NEW = 'main/default/default::old'
/** No slot comes in the time of these tests. */
const SELDOM = { to: 'nas', schedule: '0 0 1 1 *' }

type Begun = { version?: Version; policy?: object; key?: string | null }

async function begin({ version = '7.0.2', policy = {}, key = null }: Begun = {}): Promise<World> {
  const world = createWorld({ start: START, versions: { main: version, backup: version } })
  const { main } = world.incus
  main.bucketsAddress = '127.0.0.1:8555'
  world.stores.key = key
  world.stores.saveMs = 20_000
  seedInstance(main, { name: 'web', running: true })
  // Whoever has 6.0.4 may have MinIO.
  const { servesBuckets } = main.face
  main.face = { ...main.face, servesBuckets: true }
  addBucket(main, { pool: 'default', project: 'default', name: 'pics' })
  main.face = { ...main.face, servesBuckets }
  Object.assign(on(world), { description: 'of cats', config: { 'user.for': 'shop', size: '1GiB' } })
  on(world).objects.set('cat.jpg', 'meow').set('deep/er/dog.jpg', 'woof')
  on(world).keys.push({ ...adminOf(world), name: 'reader', role: 'read-only', 'access-key': 'OLD' })
  main.snapshotMs = 10_000
  main.copyMs = 10_000
  const select = { instances: ['web'], buckets: ['default::pics'] }
  await world.apply({
    policies: { daily: { remotes: ['main'], schedule: '@daily', select, export: SELDOM, ...policy } },
  })
  // With the first export of all.
  await pass(world, 12 * MINUTE)
  return world
}

const bucketsOf = ({ incus }: World) => findPool(incus.main.state, 'default').buckets

const on = (world: World, name = 'pics'): Bucket => bucketsOf(world).get(`default/${name}`) ?? expect.fail()

const adminOf = (world: World) => on(world).keys[0] ?? expect.fail()

const namesIn = (world: World): string[] => [...bucketsOf(world).values()].map(({ name }) => name)

const wish = (world: World, more: object = {}): Promise<Ran> =>
  ask(world, { do: 'export', instance: KEY, to: 'r2', ...more })

const bring = (world: World, more: object = {}): Promise<Ran> =>
  ask(world, { do: 'import', instance: KEY, from: 'r2', as: 'old', ...more })

const ledgerOf = ({ kv }: World) => JSON.parse(kv.peek('ledger') ?? '{}') as Partial<Ledger>

const made = ({ stores }: World, store = 'r2') =>
  [...stores.made].flatMap(([key, one]) => (key.startsWith(`${store} ${KEY} `) ? [one] : []))

/** One, of all that was there, and no file of it stays on its server for longer than half a day. */
async function expectExported(world: World): Promise<void> {
  expect(made(world)).toHaveLength(1)
  for (const { manifest, archive } of made(world)) {
    expect(manifest).toMatchObject({ instance: KEY, type: 'bucket', snapshot: { name: 'live' } })
    const files = filesIn(archive)
    expect([...files.keys()]).toEqual([
      'backup/index.yaml',
      'backup/bucket/cat.jpg',
      'backup/bucket/deep/er/dog.jpg',
    ])
  }
  expect(exportsOf(ledgerOf(world))[`${KEY}>r2`]).toMatchObject({ state: 'done', snapshot: 'live' })
  expect(on(world)).toMatchObject({ description: 'of cats', config: { 'user.for': 'shop', size: '1GiB' } })
  for (const { expires } of on(world).backups.values())
    expect(expires.ms ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(world.clock.now() + 12 * HOUR)
}

test('a bucket is exported as it is, its keys stand nowhere else, and that they are in plain text is told', async () => {
  const world = await begin()
  const ran = await wish(world)
  expect(ran).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
  expect(JSON.stringify(ran)).toContain('plain text in r2')
  await pass(world, 3 * MINUTE)
  await expectExported(world)
  const told = JSON.stringify([ledgerOf(world), await statusIn(world), world.kv.peek('promises')])
  for (const key of on(world).keys)
    for (const secret of [key['access-key'], key['secret-key']]) expect(told).not.toContain(secret)
  world.stores.about = { encrypted: true }
  await pass(world, MINUTE)
  expect(JSON.stringify(await wish(world))).not.toContain('plain text')
})

const isOfExport = (remote: string, { path }: { path: string }): boolean =>
  remote === 'main' && /^\/1\.0\/(storage-pools\/default\/buckets\/pics|operations\/)/.test(path)

describe('the relay is killed', () => {
  test.each([0, 1, 2, 3, 4, 5, 6])(
    'around request %i of an export: the next ticks make it, once',
    async (at) => {
      const world = await begin()
      const when = at % 2 === 0 ? 'lost-before' : null
      const isKilled = killAfter(world, [at, killRelay], isOfExport, when)
      await wish(world)
      await pass(world, 8 * MINUTE)
      world.weather.now = () => null
      expect(isKilled()).toBe(true)
      await pass(world, 8 * MINUTE)
      await expectExported(world)
    },
  )
})

test.each([1, 9_999, 15_000])(
  'Incus is killed %i ms into an export: the next ticks make it, once',
  async (ms) => {
    const world = await begin()
    await wish(world)
    await world.clock.advance(new Date(world.clock.now() + ms))
    world.incus.main.kill()
    await pass(world, MINUTE)
    world.incus.main.start()
    await pass(world, 12 * MINUTE)
    await expectExported(world)
  },
)

describe('a policy', () => {
  const policy = { export: { to: 'nas', schedule: '0 */3 * * *', check: '1h', keep: { last: 2 } } }

  test('exports what it covers at each slot, promises that alone, reads it again and removes old ones', async () => {
    const world = await begin({ policy })
    world.stores.minRetention = 0
    await passIdly(world, 42 * HOUR)
    const { promises, checks, conditions } = (await statusIn(world)) as unknown as {
      promises: { subject: string; kind: string; state: string }[]
      checks: Record<string, { state: string }>
      conditions: unknown
    }
    const mine = promises.filter(({ subject }) => subject === KEY)
    expect(mine.map(({ kind, state }) => [kind, state])).toEqual([['export', 'kept']])
    expect(checks[`${KEY}>nas`]).toMatchObject({ state: 'done' })
    // Of fifteen; those that are newer than a day stay.
    expect(made(world, 'nas').length).toBeGreaterThan(1)
    expect(made(world, 'nas').length).toBeLessThan(14)
    expect(JSON.stringify(conditions)).toContain('plain text in nas')
    expect(on(world).backups.size).toBeLessThan(6)
  })

  test('whose exports are held, and removed by name, as of any other subject', async () => {
    const world = await begin({ policy: { export: { ...policy.export, keep: { last: 9 } } } })
    world.stores.minRetention = 0
    await passIdly(world, 10 * HOUR)
    const names = () => made(world, 'nas').map(({ manifest: { name } }) => name)
    const [one = '', other = ''] = names().toSorted()
    const asked = async (what: string, name: string, more: object = {}) => {
      await passIdly(world, MINUTE)
      return ask(world, { do: what, instance: KEY, from: 'nas', export: name, ...more })
    }
    expect(await asked('hold-export', one, { note: 'audit' })).toMatchObject({ results: [{ state: 'done' }] })
    expect((await asked('remove-export', one)).refusal?.reason).toContain('audit')
    expect(await asked('remove-export', other, { grace: 3600 })).toMatchObject({
      ...{ refusal: null, results: [{ state: 'done' }] },
    })
    await passIdly(world, 2 * HOUR)
    expect(names()).toContain(one)
    expect(names()).not.toContain(other)
  })

  test('whose exports fail breaks its promise, whatever is there from before', async () => {
    const world = await begin({ policy })
    await passIdly(world, 4 * HOUR)
    world.incus.main.bucketsAddress = ''
    await passIdly(world, 18 * HOUR)
    const { promises } = await statusIn(world)
    const [mine] = promises.filter(({ subject }) => subject === KEY)
    expect(mine).toMatchObject({ kind: 'export', state: 'broken' })
    expect(JSON.stringify(await statusIn(world))).toContain('core.storage_buckets_address')
  })

  test('removes nothing of a bucket that was there before under its name', async () => {
    const world = await begin({ policy })
    world.stores.minRetention = 0
    await passIdly(world, 7 * HOUR)
    const before = [...world.stores.made.keys()].filter((key) => key.includes(KEY))
    expect(before.length).toBeGreaterThan(1)
    bucketsOf(world).delete('default/pics')
    addBucket(world.incus.main, { pool: 'default', project: 'default', name: 'pics' })
    await passIdly(world, 40 * HOUR)
    const [{ manifest } = expect.fail()] = made(world, 'nas')
    const { name, policy: by = '', owner = '' } = manifest
    const ref = { remote: 'main', project: 'default', instance: 'default::pics' }
    const removal = { do: 'expire-export', ref, store: 'nas', name, policy: by, owner } as const
    expect(await attack(world, [removal])).toContain('of an earlier instance of that name')
    expect([...world.stores.made.keys()]).toEqual(expect.arrayContaining(before))
  })

  test('tells one that is gone, and keeps what was exported of it', async () => {
    const world = await begin({ policy })
    await passIdly(world, 4 * HOUR)
    const before = made(world, 'nas').length
    bucketsOf(world).delete('default/pics')
    await passIdly(world, 4 * HOUR)
    expect(made(world, 'nas')).toHaveLength(before)
    expect(JSON.stringify(await statusIn(world))).toContain(`${KEY}`)
  })
})

describe('is refused, with what to do', () => {
  test('on 6.0.4, of whose buckets nothing is known', async () => {
    const world = await begin({ version: '6.0.4' })
    expect((await wish(world)).refusal?.reason).toContain('exports of Incus 6.0.4 were never tried')
  })

  test('where its server has no address for buckets', async () => {
    const world = await begin()
    world.incus.main.bucketsAddress = ''
    expect((await wish(world)).refusal?.reason).toContain('core.storage_buckets_address')
  })

  test.each([
    ['of a snapshot', { snapshot: 'x' }, 'which has no snapshots'],
    ['in the form of its driver', { optimized: true }, 'no form of its own'],
    ['into a store that there is not', { to: 'tape' }, 'no store "tape"'],
  ])('%s', async (_, more, why) => {
    expect((await wish(await begin(), more)).refusal?.reason).toContain(why)
  })

  test('without a key, by which alone Incus reads it, and nothing was begun', async () => {
    const world = await begin()
    on(world).keys = []
    on(world).backups.clear()
    await wish(world)
    await pass(world, 3 * MINUTE)
    expect(JSON.stringify(ledgerOf(world))).toContain('incus storage bucket key create default pics')
    expect(on(world).backups.size).toBe(0)
  })

  test('for anything else that is done to instances', async () => {
    const world = await begin()
    const ran = await ask(world, { do: 'restore', instance: KEY, snapshot: 'x' })
    expect(ran.refusal?.reason).toContain('has no snapshot "x"')
    const said = await attack(world, [
      { do: 'expire', ref: { remote: 'main', project: 'default', instance: 'default::pics' }, snapshot: 'x' },
      { do: 'remove-clone', ref: { remote: 'main', project: 'default', instance: 'default::pics' } },
    ])
    expect(said).not.toContain('"ok":true')
    expect(namesIn(world)).toEqual(['pics'])
  })
})

describe('an import of a bucket', () => {
  async function exported(begun: Begun = {}): Promise<World> {
    const world = await begin(begun)
    await wish(world)
    await pass(world, 3 * MINUTE)
    expect(made(world)).toHaveLength(1)
    on(world).objects.set('cat.jpg', 'later')
    return world
  }

  function expectImported(world: World): void {
    const one = on(world, 'old')
    expect([...one.objects]).toEqual([
      ['cat.jpg', 'meow'],
      ['deep/er/dog.jpg', 'woof'],
    ])
    expect(one.description).toBe('of cats')
    expect(one.config).toEqual({
      ...{ 'user.for': 'shop', size: '1GiB' },
      'user.stapes.known-since': expect.stringMatching(/^2026-11-20T/),
    })
    expect(one.keys.map(({ name, role }) => [name, role])).toEqual([
      ['admin', 'admin'],
      ['reader', 'read-only'],
    ])
    const before = on(world).keys.flatMap((key) => [key['access-key'], key['secret-key']])
    for (const key of one.keys)
      for (const each of [key['access-key'], key['secret-key']]) expect(before).not.toContain(each)
    expect(on(world).objects.get('cat.jpg')).toBe('later')
    expect(ledgerOf(world).work?.[workKey('import', NEW)]).toMatchObject({ state: 'done' })
  }

  test('becomes a new one, with keys of the same names that are new, as the plan says', async () => {
    const world = await exported()
    const ran = await bring(world)
    expect(ran.refusal).toBeNull()
    expect(JSON.stringify(ran)).toContain('its keys are new ones: admin (admin), reader (read-only)')
    await pass(world, 4 * MINUTE)
    expectImported(world)
  })

  test('of one that is gone, under its name, also without a key of its own that may write', async () => {
    const world = await begin()
    on(world).keys = on(world).keys.filter(({ name }) => name === 'reader')
    await wish(world)
    await pass(world, 3 * MINUTE)
    bucketsOf(world).clear()
    expect((await bring(world, { as: 'pics' })).refusal).toBeNull()
    await pass(world, 4 * MINUTE)
    expect(on(world).keys.map(({ role }) => role)).toEqual(['read-only', 'admin'])
    expect(on(world).objects.get('cat.jpg')).toBe('meow')
  })

  test('that is encrypted takes its key, which stands nowhere afterwards', async () => {
    const key = 'AGE-SECRET-KEY-1TEST'
    const world = await exported({ key })
    expect((await bring(world)).refusal?.reason).toContain('doesn’t open it')
    await bring(world, { key: new Secret(key) })
    await pass(world, 4 * MINUTE)
    expectImported(world)
    expect(world.kv.peek('ledger')).not.toContain(key)
  })

  test.each([
    ['under a name that another one has', { as: 'pics' }, `there is a bucket ${KEY} already`],
    ['by a name that Incus would not take', { as: 'Pics' }, 'Incus takes no such name'],
    ['as a volume', { as: 'default:x' }, 'becomes no volume'],
    ['into a pool that there is not', { pool: 'none' }, 'has no pool "none"'],
  ])('is refused %s', async (_, more, why) => {
    const world = await exported()
    expect((await bring(world, more)).refusal?.reason).toContain(why)
    await pass(world, 2 * MINUTE)
    expect(namesIn(world)).toEqual(['pics'])
  })

  test('is refused where its server has no address for buckets', async () => {
    const world = await exported()
    world.incus.main.bucketsAddress = ''
    expect((await bring(world)).refusal?.reason).toContain('core.storage_buckets_address')
  })

  test('of what is not what was stored makes nothing', async () => {
    const world = await exported()
    world.stores.failure = 'it has another SHA-256'
    await bring(world)
    await pass(world, 5 * MINUTE)
    expect(namesIn(world)).toEqual(['pics'])
  })

  const isOfImport = (remote: string, { path }: { path: string }): boolean =>
    remote === 'main' && /^\/1\.0\/(storage-pools\/default\/buckets|operations\/)/.test(path)

  test.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'goes on where the relay is killed around its request %i',
    async (at) => {
      const world = await exported()
      world.stores.loadMs = 5_000
      const isKilled = killAfter(world, [at + 4, killRelay], isOfImport, at % 2 === 0 ? 'lost-before' : null)
      await bring(world)
      await pass(world, 20 * MINUTE)
      world.weather.now = () => null
      expect(isKilled()).toBe(true)
      await pass(world, 10 * MINUTE)
      expectImported(world)
    },
  )

  async function halfMade(): Promise<World> {
    const world = await exported()
    world.stores.loadMs = 1_000
    world.incus.main.copyMs = 30_000
    await bring(world)
    await world.clock.advance(new Date(world.clock.now() + 15_000))
    expect(namesIn(world)).toEqual(['pics', 'old'])
    world.incus.main.kill()
    return world
  }

  test('that Incus’s death cut off is made anew', async () => {
    const world = await halfMade()
    expect(on(world, 'old').objects.size).toBe(0)
    await pass(world, MINUTE)
    world.incus.main.start()
    await pass(world, 10 * MINUTE)
    expectImported(world)
  })

  test('and that was left for more than a day is somebody’s to delete', async () => {
    const world = await halfMade()
    on(world, 'old').config['user.stapes.known-since'] = '2026-11-18T00:00:00Z'
    world.incus.main.start()
    await pass(world, 10 * MINUTE)
    expect(on(world, 'old').objects.size).toBe(0)
    expect(JSON.stringify([ledgerOf(world), await statusIn(world)])).toContain(
      'somebody may use it: if nobody does, delete it',
    )
  })
})
