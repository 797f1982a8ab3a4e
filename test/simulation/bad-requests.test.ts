/**
 * What can be wrong with a request, by request: said before anything is begun where it can be known before, with what to do;
 * else once it shows, and nothing half made stays. What is wrong with imports and new instances is in their own files as well.
 */
import { describe, expect, test } from 'vitest'
import { setFull } from '../emulator/breakage.ts'
import {
  attachVolume,
  instanceOf,
  readMarker,
  seedInstance,
  seedProfile,
  useVolume,
  write,
  writeVolume,
} from '../emulator/scene.ts'
import { findPool } from '../emulator/state.ts'
import { ask } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const SNAPSHOT = 'hourly-20261120T0100Z'
const GONE = 'hourly-20200101T0000Z'
const WEB = 'main/default/web'
const DATA = 'main/default/default:data'

/** An instance and a volume, both verified on the backup server. */
async function begin(): Promise<World> {
  const world = createWorld({ start: START })
  write(seedInstance(world.incus.main, { name: 'web' }), 'web', 1e6)
  seedInstance(world.incus.main, { name: 'mail' })
  attachVolume(world.incus.main, { name: 'mail' }, 'data')
  instanceOf(world.incus.main, { name: 'mail' }).devices = {}
  writeVolume(world.incus.main, 'data', 'then', 600_000)
  const select = { instances: ['web'], volumes: ['default:data'] }
  await world.apply({
    policies: { hourly: { remotes: ['main'], schedule: '@hourly', select, copy: { remote: 'backup' } } },
  })
  await pass(world, HOUR + 20 * MINUTE, 2 * MINUTE)
  await world.clock.advance(world.clock.now() + 5_000)
  return world
}

/** Past what deletes nothing by itself. */
const loseWeb = ({ incus }: World): unknown =>
  incus.main.state.projects.get('default')?.instances.delete('web')
const loseData = ({ incus }: World): unknown =>
  findPool(incus.main.state, 'default').volumes.delete('default/data')
const fill = ({ incus }: World): void => setFull(incus.main, true)
const as =
  (...changes: ((world: World) => unknown)[]) =>
  (world: World) => {
    for (const change of changes) change(world)
  }
const nothing = (): void => {}

const namesOn = ({ incus: { main } }: World): string =>
  JSON.stringify([
    [...(main.state.projects.get('default')?.instances.keys() ?? [])],
    [...findPool(main.state, 'default').volumes.keys()],
  ])

const NO_SPACE = /default" on main has 0 MB left, and it needs 16 MB: free space there, or name another pool/
const NO_PROJECT = /main has no project nowhere: create it there, or name another by --project/

type Case = [what: string, request: object, change: (world: World) => unknown, why: RegExp]

describe('is said before anything is begun', () => {
  test.each<Case>([
    [
      'export: its snapshot is gone',
      { do: 'export', instance: WEB, snapshot: GONE, to: 'nas' },
      nothing,
      /has no snapshot "hourly-2020/,
    ],
    [
      'export of a volume: likewise',
      { do: 'export', instance: DATA, snapshot: GONE, to: 'nas' },
      nothing,
      /default:data has no snapshot/,
    ],
    [
      'restore: its snapshot is gone',
      { do: 'restore', instance: WEB, snapshot: GONE },
      nothing,
      /web has no snapshot/,
    ],
    [
      'restore of a volume: likewise',
      { do: 'restore', instance: DATA, snapshot: GONE },
      nothing,
      /default:data has no snapshot/,
    ],
    [
      'put: its snapshot is gone',
      { do: 'put', instance: WEB, snapshot: GONE, path: '/x' },
      nothing,
      /neither .* has a snapshot/,
    ],
    [
      'bring-back: its name is taken',
      { do: 'bring-back', instance: WEB },
      nothing,
      /web exists: restore it in place/,
    ],
    [
      'bring-back: no such project',
      { do: 'bring-back', instance: WEB, project: 'nowhere' },
      loseWeb,
      NO_PROJECT,
    ],
    [
      'bring-back: no such pool',
      { do: 'bring-back', instance: WEB, pool: 'tank' },
      loseWeb,
      /no pool "tank": name one that it has, by --pool/,
    ],
    ['bring-back: its pool is full', { do: 'bring-back', instance: WEB }, as(loseWeb, fill), NO_SPACE],
    [
      'bring-back: its profile is missing',
      { do: 'bring-back', instance: WEB },
      as(loseWeb, ({ incus: { backup } }) => {
        instanceOf(backup, { name: 'web' }).profiles = ['default', 'front']
        seedProfile(backup, 'front', {})
      }),
      /has no profile front: create it there/,
    ],
    [
      'bring-back of a volume: its name is taken',
      { do: 'bring-back', instance: DATA },
      nothing,
      /default:data exists: restore it in place/,
    ],
    [
      'bring-back of a volume: no such project',
      { do: 'bring-back', instance: DATA, project: 'nowhere' },
      loseData,
      NO_PROJECT,
    ],
    [
      'bring-back of a volume: another pool',
      { do: 'bring-back', instance: DATA, pool: 'tank' },
      loseData,
      /into the pool that is in its name.*leave --pool out, or \/backup clone .* --pool=tank/,
    ],
    [
      'bring-back of a volume: its pool is full',
      { do: 'bring-back', instance: DATA },
      as(loseData, fill),
      NO_SPACE,
    ],
    [
      'bring-back of a volume: somebody has it attached',
      { do: 'bring-back', instance: DATA },
      as(({ incus: { main } }) => useVolume(main, { name: 'mail' }, 'data'), loseData),
      /mail has main\/default\/default:data attached.*detach it there first/,
    ],
    [
      'clone of a volume: its snapshot is gone',
      { do: 'clone', instance: DATA, snapshot: GONE, as: 'x' },
      nothing,
      /neither .* has a snapshot/,
    ],
    [
      'clone of a volume: no such project',
      { do: 'clone', instance: DATA, snapshot: SNAPSHOT, as: 'x', project: 'nowhere' },
      nothing,
      NO_PROJECT,
    ],
    [
      'clone of a volume: no such pool',
      { do: 'clone', instance: DATA, snapshot: SNAPSHOT, as: 'x', pool: 'tank' },
      nothing,
      /no storage pool "tank" on main: name one of its pools/,
    ],
    [
      'clone of a volume: its pool is full',
      { do: 'clone', instance: DATA, snapshot: SNAPSHOT, as: 'x' },
      fill,
      NO_SPACE,
    ],
  ])('%s', async (_, request, change, why) => {
    const world = await begin()
    change(world)
    const before = namesOn(world)
    const ran = await ask(world, request)
    expect(ran).toMatchObject({ results: [], refusal: { reason: expect.stringMatching(why) } })
    await pass(world, 4 * MINUTE)
    expect(namesOn(world)).toBe(before)
  })
})

describe('shows once it is tried, is told with what to do, and leaves nothing half made', () => {
  test.each([
    [
      'restore: a full pool has no room for the safety snapshot',
      { do: 'restore', instance: WEB, snapshot: SNAPSHOT },
    ],
    ['restore of a volume: likewise', { do: 'restore', instance: DATA, snapshot: SNAPSHOT }],
    ['export of a volume: no room for what it is made from', { do: 'export', instance: DATA, to: 'nas' }],
  ])('%s', async (_, request) => {
    const world = await begin()
    write(instanceOf(world.incus.main, { name: 'web' }), 'web now', 1e6)
    fill(world)
    const before = namesOn(world)
    await ask(world, request)
    const told = new Set<string>()
    for (let minute = 0; minute < 20; minute++) {
      const ran = await world.tick(new Date(world.clock.now() + MINUTE))
      told.add(JSON.stringify(ran))
    }
    expect([...told].join()).toMatch(/No space left on device \(free space in the pool or enlarge it\)/)
    expect(namesOn(world)).toBe(before)
    expect(readMarker(world.incus.main, { name: 'web' })).toBe('web now')
    expect(world.stores.made.size).toBe(0)
  })
})
