/** Custom volumes made of exports, in the whole product: as new ones, or not at all, whatever is killed. */
import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { workKey } from '../../shared/ledger/work.ts'
import { Secret } from '../../shared/secret.ts'
import { addCustom, customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, seedInstance, writeVolume } from '../emulator/scene.ts'
import { type Custom, findPool } from '../emulator/state.ts'
import { ask, attack, type Ran } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { killAfter, killRelay } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const STEP = 2 * MINUTE
const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default:data'
const NEW = 'main/default/default:old'

type Begun = { version?: Version; content?: Custom['content']; key?: string | null }

async function begin({ version = '6.0.4', content, key = null }: Begun = {}): Promise<World> {
  const world = createWorld({ start: START, versions: { main: version, backup: version } })
  world.stores.key = key
  seedInstance(world.incus.main, { name: 'web', running: true })
  attachVolume(world.incus.main, { name: 'web' }, 'data')
  const config = {
    ...{ 'user.for': 'shop', 'snapshots.expiry': '7d', 'volatile.idmap.last': '[1]' },
    ...{ 'security.odd': 'true', 'user.stapes.hold.mine': 'ann' },
  }
  Object.assign(on(world), { description: 'of the shop', config })
  if (content !== undefined) on(world).content = content
  writeVolume(world.incus.main, 'data', 'then', 600_000)
  const select = { instances: [], volumes: ['default:data'] }
  await world.apply({ policies: { hourly: { remotes: ['main'], schedule: '@hourly', select } } })
  await pass(world, HOUR + 10 * MINUTE, STEP)
  writeVolume(world.incus.main, 'data', 'now', 600_000)
  await ask(world, { do: 'export', instance: KEY, to: 'nas' })
  await pass(world, 5 * MINUTE)
  expect(world.stores.made.size).toBe(1)
  world.incus.main.copyMs = 20_000
  return world
}

const on = (world: World, name = 'data'): Custom => customOf(world.incus.main, { name })

const volumesOf = ({ incus }: World): string[] =>
  [...findPool(incus.main.state, 'default').volumes.values()].map(({ name }) => name)

const bring = (world: World, more: object = {}): Promise<Ran> =>
  ask(world, { do: 'import', instance: KEY, from: 'nas', as: 'old', ...more })

const noted = ({ kv }: World) =>
  (JSON.parse(kv.peek('ledger') ?? '{}') as Partial<Ledger>).work?.[workKey('import', NEW)]

function expectImported(world: World): void {
  const made = on(world, 'old')
  expect([made.disk.held, made.disk.marker, made.description]).toEqual(['whole', 'then', 'of the shop'])
  expect(made.config).toEqual({
    ...{ 'user.for': 'shop', 'snapshots.expiry': '7d', 'volatile.idmap.last': '[1]' },
  })
  // By its date it is another one.
  expect(made.createdAt).not.toBe(on(world).createdAt)
  expect(on(world).disk.marker).toBe('now')
  expect(volumesOf(world)).toEqual(['data', 'old'])
  expect(noted(world)).toMatchObject({ state: 'done' })
}

describe.each<Version>(['6.0.4', '7.0.2'])('on %s', (version) => {
  test.each(['filesystem', 'block'] as const)(
    'a volume (%s) comes of it, without marks, and what it lacks is told',
    async (content) => {
      const world = await begin({ version, content })
      const ran = await bring(world)
      expect(ran.refusal).toBeNull()
      expect(JSON.stringify(ran)).toContain('is made without security.odd')
      await pass(world, 6 * MINUTE)
      expectImported(world)
      expect(on(world, 'old').content).toBe(content)
    },
  )
})

test('one that is gone comes back under its name, by its whole path, into another pool', async () => {
  const world = await begin()
  const pool = findPool(world.incus.main.state, 'default')
  world.incus.main.state.pools.set('big', { ...pool, name: 'big', volumes: new Map() })
  pool.volumes.delete('default/data')
  expect((await bring(world, { as: 'data', pool: 'big' })).refusal).toBeNull()
  await pass(world, 6 * MINUTE)
  expect(customOf(world.incus.main, { pool: 'big', name: 'data' }).disk.marker).toBe('then')
})

test('one that is encrypted takes its key, which stands nowhere afterwards', async () => {
  const key = 'AGE-SECRET-KEY-1TEST'
  const world = await begin({ key })
  expect((await bring(world)).refusal?.reason).toContain('doesn’t open it')
  await bring(world, { key: new Secret(key) })
  await pass(world, 6 * MINUTE)
  expectImported(world)
  expect(world.kv.peek('ledger')).not.toContain(key)
})

describe('is refused, and nothing is changed', () => {
  test.each([
    [
      'under a name that another volume has',
      { as: 'data' },
      'there is a volume main/default/default:data already',
    ],
    ['into a pool that there is not', { pool: 'none' }, 'there is no storage pool "none"'],
    ['onto another server', { remote: 'backup' }, 'no policy names the remote'],
    ['of an instance as a volume', { instance: 'main/default/web', as: 'default:x' }, 'becomes no volume'],
    ['by a name that Incus would not take', { as: '-x' }, 'stapes takes no such name'],
  ])('%s', async (_, more, why) => {
    const world = await begin()
    expect((await bring(world, more)).refusal?.reason).toContain(why)
    await pass(world, 4 * MINUTE)
    expect(volumesOf(world)).toEqual(['data'])
  })

  test('of what is not what was stored', async () => {
    const world = await begin()
    world.stores.failure = 'it has another SHA-256'
    await bring(world)
    await pass(world, 6 * MINUTE)
    expect(volumesOf(world)).toEqual(['data'])
    expect(noted(world)).toMatchObject({ state: 'failed' })
  })

  test('by whoever has stolen the signing key: over nothing that is there, and not of an instance', async () => {
    const world = await begin()
    const ref = (instance: string, remote = 'main') => ({ remote, project: 'default', instance })
    const [name = ''] = [...world.stores.made.values()].map(({ manifest }) => manifest.name)
    const step = { do: 'import', of: ref('default:data'), store: 'nas', name, start: false } as const
    const more = { pool: null, key: null }
    const answered = await attack(world, [
      { ...step, ...more, to: ref('default:data') },
      { ...step, ...more, to: ref('web') },
      { ...step, ...more, to: ref('new') },
      { ...step, ...more, to: ref('default:new', 'backup') },
      { ...step, ...more, of: ref('web'), to: ref('default:new') },
    ])
    expect(answered).not.toContain('"ok":true')
    expect([volumesOf(world), on(world).disk.marker]).toEqual([['data'], 'now'])
  })
})

const isOfImport = (remote: string, { path }: { path: string }): boolean =>
  remote === 'main' &&
  /^\/1\.0\/(storage-pools\/default\/volumes\/custom(\/old|\?project=)|operations\/)/.test(path)

describe('the relay is killed', () => {
  const moments = Array.from({ length: 8 }, (_, at) => at).flatMap((at) => [
    { at, when: 'before' as const },
    { at, when: 'after' as const },
  ])
  test.each(moments)('$when request $at of an import: the next ticks make it, once', async ({ at, when }) => {
    const world = await begin()
    await bring(world)
    const isKilled = killAfter(world, [at, killRelay], isOfImport, when === 'before' ? 'lost-before' : null)
    await pass(world, 4 * MINUTE)
    world.weather.now = () => null
    expect(isKilled()).toBe(true)
    await pass(world, 10 * MINUTE)
    expectImported(world)
  })
})

test.each([1, 30_000, 61_000, 70_000, 79_000, 81_000])(
  'Incus is killed %i ms into an import: the next ticks make it, once',
  async (ms) => {
    const world = await begin()
    await bring(world)
    await world.clock.advance(new Date(world.clock.now() + ms))
    world.incus.main.kill()
    await pass(world, MINUTE)
    world.incus.main.start()
    await pass(world, 30 * MINUTE)
    expectImported(world)
  },
)

test('a volume that somebody made under that name meanwhile is left alone', async () => {
  const world = await begin()
  await bring(world)
  await world.clock.advance(new Date(world.clock.now() + 30_000))
  addCustom(world.incus.main, { pool: 'default', project: 'default', name: 'old' })
  on(world, 'old').disk.marker = 'theirs'
  await pass(world, 30 * MINUTE)
  expect(on(world, 'old').disk.marker).toBe('theirs')
  expect(noted(world)).toMatchObject({ state: 'failed' })
})
