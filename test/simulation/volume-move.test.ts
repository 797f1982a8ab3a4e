/** A move of a custom volume to another project, by its copy: what is left to do is told, and nothing is done to the original. */
import { expect, test } from 'vitest'
import { customOf } from '../emulator/custom.ts'
import { attachVolume, instanceOf, seedInstance, seedProject, writeVolume } from '../emulator/scene.ts'
import { findPool } from '../emulator/state.ts'
import { ask, type Ran } from './asking.ts'
import { pass } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { createWorld, type World } from './world.ts'

const STEP = 2 * MINUTE
const KEY = 'main/default/default:data'

/** `web` uses it, and has stopped; all of its snapshots are on the backup server. */
async function begin(): Promise<World> {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z'), receives: ['backup'] })
  const { main } = world.incus
  seedProject(main, 'other')
  Object.assign(main.state.projects.get('other')?.config ?? {}, { 'features.storage.volumes': 'true' })
  seedInstance(main, { name: 'web' })
  attachVolume(main, { name: 'web' }, 'data')
  writeVolume(main, 'data', 'then', 600_000)
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', copy: { remote: 'backup' } },
        select: { instances: [], volumes: ['default:data'] },
      },
    },
  })
  await pass(world, 2 * HOUR + 10 * MINUTE, STEP)
  return world
}

const move = (world: World, more: object = {}): Promise<Ran> =>
  ask(world, { do: 'move', instance: KEY, project: 'other', reason: 'by ann', ...more })
const detach = (world: World): void => {
  instanceOf(world.incus.main, { name: 'web' }).devices = {}
}
const moved = (world: World) => customOf(world.incus.main, { project: 'other', name: 'data' })

test('is refused while anything uses it, though that has stopped', async () => {
  const world = await begin()
  expect((await move(world)).refusal).toMatchObject({
    code: 'forbidden',
    reason: expect.stringContaining(`main/default/web uses ${KEY}: detach it there`),
  })
})

test('is refused into another pool, by whose name no copy would be found', async () => {
  const world = await begin()
  detach(world)
  expect((await move(world, { pool: 'fast' })).refusal?.reason).toContain(
    'is brought back into the pool that is in its name',
  )
})

test('is refused while its copy lacks a snapshot, and onto the server of that copy', async () => {
  const world = await begin()
  detach(world)
  await ask(world, { do: 'snapshot', instances: [KEY], reason: 'by ann' })
  expect((await move(world)).refusal).toMatchObject({ code: 'unverified' })
  const there = await move(world, { remote: 'backup', project: undefined })
  expect(there.refusal?.reason).toContain('is its copy, by which it moves')
})

test('is told once all is verified, and whoever does it has all of it in the new place', async () => {
  const world = await begin()
  detach(world)
  const names = [...customOf(world.incus.main, { name: 'data' }).snapshots.keys()]
  const sent: string[] = []
  world.weather.now = (_, { method, path }) => {
    if (method !== 'GET') sent.push(path)
    return null
  }
  const ran = await move(world)
  expect([ran.refusal, ran.results, sent]).toEqual([null, [], []])
  const said = ran.lines.map(({ reason }) => reason).join('\n')
  expect(said).toContain(
    `All ${names.length} snapshots of ${KEY} are verified on backup/default/default:data`,
  )
  expect(said).toContain('"incus storage volume delete default data" removes')
  const then = `/backup bring-back ${KEY} --project=other`
  expect(said).toContain(then)
  findPool(world.incus.main.state, 'default').volumes.delete('default/data')
  expect((await move(world)).refusal?.reason).toContain(then)
  const back = { do: 'bring-back', instance: KEY, project: 'other', reason: 'by ann' } as const
  expect((await ask(world, back)).refusal).toBeNull()
  await pass(world, 10 * MINUTE)
  expect(moved(world).disk).toMatchObject({ held: 'whole', marker: 'then' })
  expect([...moved(world).snapshots.keys()]).toEqual(expect.arrayContaining(names))
  const { config } = customOf(world.incus.backup, { name: 'data' })
  expect(config['user.stapes.replica-of']).toBe('main/other/default:data')
})
