/** Files of custom volumes, in the whole product: read from another volume of the snapshot, and restored into the volume itself. */
import { describe, expect, test } from 'vitest'
import { type FilesQuery, listFiles, placeOf } from '../../functions/files.ts'
import { type Io, look } from '../../functions/run.ts'
import { addCustom, customOf } from '../emulator/custom.ts'
import { newNode, nodesOn, putNode } from '../emulator/disk-files.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, seedInstance, writeVolume } from '../emulator/scene.ts'
import { type Custom, findPool } from '../emulator/state.ts'
import { ask } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { KILLED, killAfter } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const STEP = 2 * MINUTE
const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default:data'
const SNAPSHOT = 'hourly-20261120T0100Z'

const file = (text: string, more: object = {}) => ({ ...newNode('file', Buffer.from(text)), ...more })

type Setting = { version?: Version; copied?: boolean }

/** Somebody has damaged it since. */
async function begin({ version = '7.0.2', copied = false }: Setting = {}): Promise<World> {
  const world = createWorld({ start: START, versions: { main: version, backup: version }, files: true })
  seedInstance(world.incus.main, { name: 'web', running: true })
  attachVolume(world.incus.main, { name: 'web' }, 'data')
  Object.assign(on(world), {
    description: 'of the shop',
    config: { 'user.for': 'shop', 'volatile.idmap.last': '[1]' },
  })
  writeVolume(world.incus.main, 'data', 'then', 600_000)
  putNode(on(world), '/shop', newNode('folder'))
  putNode(on(world), '/shop/orders', file('orders', { uid: 33, mode: 0o640 }))
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', select: { instances: [], volumes: ['default:data'] } },
        ...(copied ? { copy: { remote: 'backup' } } : {}),
      },
    },
  })
  await pass(world, HOUR + 10 * MINUTE, STEP)
  writeVolume(world.incus.main, 'data', 'now', 600_000)
  putNode(on(world), '/shop', newNode('folder'))
  putNode(on(world), '/shop/orders', file('gone'))
  putNode(on(world), '/shop/later', file('later'))
  return world
}

const on = (world: World, name = 'data'): Custom => customOf(world.incus.main, { name })

const temporaries = ({ incus }: World, remote: 'main' | 'backup' = 'main'): string[] =>
  [...findPool(incus[remote].state, 'default').volumes.keys()]
    .map((key) => key.replace('default/', ''))
    .filter((name) => name.startsWith('stapes-files-'))

const textAt = (world: World, path: string) => nodesOn(on(world).disk).get(path)?.bytes.toString()

async function list(world: World, query: Partial<FilesQuery> = {}) {
  const io = world.places[0] as Required<Io>
  const seen = await world.clock.settle(look(io, new Date(world.clock.now())))
  if (seen === null) throw new Error('nothing is configured')
  const place = placeOf({ instance: KEY, snapshot: SNAPSHOT, path: '/', ...query }, seen)
  return place.ok ? world.clock.settle(listFiles(place.value, {}, io.files)) : place
}

const put = (world: World, more: object = {}) =>
  ask(world, {
    do: 'put',
    instance: KEY,
    snapshot: SNAPSHOT,
    path: '/shop',
    from: undefined,
    reason: 'by ann',
    ...more,
  })

const noted = (world: World) =>
  (
    JSON.parse(world.kv.peek('ledger') ?? '{}') as {
      work?: Record<string, { safety: string; state: string; reason?: string }>
    }
  ).work?.[`put ${KEY}`]

describe('files of a snapshot of a custom volume', () => {
  test('are read from another volume of it, with its owners shifted as they were, which goes again', async () => {
    const world = await begin()
    expect(await list(world, { path: '/shop' })).toMatchObject({
      ok: true,
      value: {
        of: KEY,
        from: KEY,
        entries: [{ name: 'orders', size: 6, uid: 33, mode: '0640' }],
      },
    })
    const [name = ''] = temporaries(world)
    const { config, disk, snapshots, description } = on(world, name)
    expect([config['volatile.idmap.last'], disk.marker, snapshots.size]).toEqual(['[1]', 'then', 0])
    expect([description, on(world).description]).toEqual(['of the shop', 'of the shop'])
    await pass(world, 9 * MINUTE, MINUTE)
    expect(temporaries(world)).toEqual([name])
    expect(JSON.stringify(world.kv.peek('facts'))).not.toContain('stapes-files')
    await pass(world, 3 * MINUTE, MINUTE)
    expect(temporaries(world)).toEqual([])
  })

  test('are read on the backup server, where that is asked for', async () => {
    const world = await begin({ copied: true })
    await pass(world, 20 * MINUTE, MINUTE)
    expect(await list(world, { from: 'backup' })).toMatchObject({
      value: { of: KEY, from: 'backup/default/default:data', total: 3 },
    })
    expect([temporaries(world).length, temporaries(world, 'backup').length]).toEqual([0, 1])
  })

  test('are refused by a server that gives none, before anything is begun, with what to do', async () => {
    const world = await begin({ version: '6.0.4' })
    const why = `Incus 6.0.4 on main gives no files of custom volumes (6.0.5, 6.13 and later do): /backup clone ${KEY} ${SNAPSHOT} --as=<name> makes`
    expect(await list(world)).toMatchObject({ error: { reason: expect.stringContaining(why) } })
    expect((await put(world)).refusal?.reason).toContain(why)
    expect(temporaries(world)).toEqual([])
  })

  test('of a block volume are refused, and by which way they are read', async () => {
    const world = await begin()
    on(world).content = 'block'
    expect(await list(world)).toMatchObject({
      error: { state: 'refused', reason: expect.stringContaining('it is a block volume') },
    })
    expect(temporaries(world)).toEqual([])
  })

  test('are restored into the volume, after a snapshot of the state before', async () => {
    const world = await begin()
    expect(await put(world)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
    await pass(world, 4 * MINUTE, MINUTE)
    expect(noted(world)).toMatchObject({ state: 'done' })
    expectBack(world)
  })
})

function expectBack(world: World): void {
  expect(nodesOn(on(world).disk).get('/shop/orders')).toMatchObject({ uid: 33, mode: 0o640 })
  const texts = ['/shop/orders', '/shop/later', '/marker'].map((path) => textAt(world, path))
  expect(texts).toEqual(['orders', 'later', 'now'])
  const { safety = '' } = noted(world) ?? {}
  const before = on(world).snapshots.get(safety)
  expect(before === undefined ? null : nodesOn(before.disk).get('/shop/orders')?.bytes.toString()).toBe(
    'gone',
  )
  expect(on(world).config['user.stapes.putting']).toBeUndefined()
  expect(on(world).config).toMatchObject({ 'user.for': 'shop', 'user.stapes.restored': safety })
  expect(on(world).description).toBe('of the shop')
  expect([...nodesOn(on(world).disk).keys()].filter((path) => path.includes('.stapes'))).toEqual([])
}

/** By what was asked of the volumes of main until then. */
const MOMENTS = [3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16]

const isOfVolume = (remote: string, { path }: { path: string }): boolean =>
  remote === 'main' && path.includes('/custom')

describe.each(KILLED)('the %s is killed', (_, kill) => {
  test.each(MOMENTS)('at request %i: the next ticks restore them, and nothing is left', async (at) => {
    const world = await begin()
    const isKilled = killAfter(world, [at, kill], isOfVolume)
    await put(world)
    await pass(world, 25 * MINUTE, MINUTE)
    world.weather.now = () => null
    expect(isKilled()).toBe(true)
    await pass(world, 50 * MINUTE)
    expect(noted(world)).toMatchObject({ state: 'done' })
    expectBack(world)
    expect(temporaries(world)).toEqual([])
  })
})

test('what a killed relay has left is found, though no policy covers volumes any more', async () => {
  const world = await begin()
  world.incus.main.copyMs = 3 * MINUTE
  expect(await list(world)).toMatchObject({ error: { state: 'wait' } })
  expect(temporaries(world)).toHaveLength(1)
  world.relay.kill()
  await world.apply({ policies: { hourly: { remotes: ['main'], schedule: '@hourly' } } })
  await pass(world, 2 * MINUTE, MINUTE)
  // Incus would go on with it, and leave the data.
  expect(temporaries(world)).toHaveLength(1)
  await pass(world, 70 * MINUTE)
  expect(temporaries(world)).toEqual([])
})

test('a volume with such a name and mark that the relay did not make stays', async () => {
  const world = await begin()
  const name = `stapes-files-${'0'.repeat(24)}`
  addCustom(world.incus.main, { pool: 'default', project: 'default', name })
  on(world, name).config['user.stapes.exporting'] = 'files of mine'
  await pass(world, 2 * HOUR)
  expect(temporaries(world)).toEqual([name])
})
