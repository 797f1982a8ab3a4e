/** What is wrong is named, with what to do; nothing is lost, and the other instances go on. */
import { expect, test } from 'vitest'
import type { Run } from '../../functions/summary.ts'
import { hold, setFull } from '../emulator/breakage.ts'
import { instanceOf, seedInstance, seedProject, write } from '../emulator/scene.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-22T03:00:10Z')
const minutes = (count: number): Date => new Date(START.getTime() + count * 60_000)

const DAILY = { remotes: ['main'], schedule: '0 3 * * *', keep: { daily: 2 }, catchup: '6h' }

async function worldWith(policy: object, names = ['db1', 'web1']): Promise<World> {
  const world = createWorld({ start: START })
  for (const name of names) write(seedInstance(world.incus.main, { name, running: true }), name, 1000)
  await world.apply({ policies: { daily: { ...DAILY, ...policy } } })
  return world
}

type Ran = Extract<Run, { state: 'ran' }> & { taken: number; copiesStarted: number }

async function ran(world: World, at: Date): Promise<Ran> {
  const run = await world.tick(at)
  if (!('state' in run) || run.state !== 'ran') throw new Error(`expected a run, got ${JSON.stringify(run)}`)
  return run as Ran
}

const snapshotsOf = (world: World, name: string): string[] => [
  ...instanceOf(world.incus.main, { name }).snapshots.keys(),
]

test('a full pool is named with what to do, and the slot is served once there is room', async () => {
  const world = await worldWith({})
  setFull(world.incus.main, true)
  const { problems, taken } = await ran(world, START)
  expect(taken).toBe(0)
  expect(problems).toHaveLength(2)
  expect(problems[0]).toMatch(
    /^main\/default\/db1 snapshot: .*No space left on device.*free space in the pool/,
  )
  setFull(world.incus.main, false)
  expect((await ran(world, minutes(1))).taken).toBe(2)
})

test('a busy instance waits, and the other is taken', async () => {
  const world = await worldWith({})
  world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && path.includes('/web1/snapshots')
      ? {
          operation:
            'Failed to create instance snapshot operation: Instance is busy running a "restore" operation',
        }
      : null
  const { problems, taken } = await ran(world, START)
  expect(taken).toBe(1)
  expect(problems).toEqual([
    expect.stringMatching(/^main\/default\/web1 snapshot: .*busy.*stapes tries again/),
  ])
  world.incus.main.faults = () => null
  expect((await ran(world, minutes(1))).taken).toBe(1)
  expect(snapshotsOf(world, 'web1')).toEqual(['daily-20261122T0300Z'])
})

test('a project that forbids snapshots fails its instance for good, and only that', async () => {
  const world = await worldWith({ select: { projects: ['default', 'shop'] } })
  seedProject(world.incus.main, 'shop')
  Object.assign(world.incus.main.state.projects.get('shop')?.config ?? {}, { restricted: 'true' })
  write(seedInstance(world.incus.main, { project: 'shop', name: 'till' }), 'till', 1000)
  const { problems, taken } = await ran(world, START)
  expect(taken).toBe(2)
  expect(problems).toContain(
    "main/shop: project shop is restricted and doesn't allow snapshots: incus project set shop restricted.snapshots=allow",
  )
  const ledger = JSON.parse(world.kv.peek('ledger') ?? '{}')
  expect(ledger.policies.daily).toMatchObject({ open: null, slots: [{ outcome: 'failed', served: 2 }] })
})

test('a name that is taken on the target is left alone, and the copy of the other goes on', async () => {
  const world = await worldWith({ copy: { remote: 'backup' } })
  write(seedInstance(world.incus.backup, { name: 'web1' }), 'somebody else’s', 1000)
  await ran(world, START)
  const { problems, copiesStarted } = await ran(world, minutes(1))
  expect(copiesStarted).toBe(1)
  expect(problems).toEqual([
    expect.stringMatching(/web1: the target already has an instance of this name.*copy into another project/),
  ])
  await ran(world, minutes(2))
  expect(instanceOf(world.incus.backup, { name: 'web1' }).disk.marker).toBe('somebody else’s')
  expect([...instanceOf(world.incus.backup, { name: 'db1' }).snapshots.keys()]).toEqual([
    'daily-20261122T0300Z',
  ])
})

test('a project missing on the target is named, and nothing is sent', async () => {
  const world = await worldWith({ copy: { remote: 'backup', project: 'vault' } })
  await ran(world, START)
  const { problems } = await ran(world, minutes(1))
  expect(problems[0]).toMatch(/project vault does not exist on backup: create it, or set copy.project/)
})

test('a target that runs is not overwritten', async () => {
  const world = await worldWith({ copy: { remote: 'backup' } }, ['web1'])
  for (const minute of [0, 1, 2]) await ran(world, minutes(minute))
  instanceOf(world.incus.backup, { name: 'web1' }).status = 'Running'
  await ran(world, minutes(24 * 60))
  const { problems } = await ran(world, minutes(24 * 60 + 1))
  expect(problems).toEqual([
    expect.stringMatching(
      /^backup\/default\/web1: it is running and marked as the copy of main\/default\/web1/,
    ),
    expect.stringMatching(
      /the copy is Running on the target: stop it\. .* listed under backup\/default\/web1$/,
    ),
  ])
})

test('an instance busy with a copy of somebody else’s is copied once that is over', async () => {
  const world = await worldWith({ copy: { remote: 'backup' } }, ['web1'])
  await ran(world, START)
  hold(instanceOf(world.incus.main, { name: 'web1' }), 'migrate')
  await ran(world, minutes(1))
  hold(instanceOf(world.incus.main, { name: 'web1' }), null)
  for (const minute of [2, 3, 4, 5, 6, 7]) await world.tick(minutes(minute))
  const ledger = JSON.parse(world.kv.peek('ledger') ?? '{}')
  expect(ledger.work['copy main/default/web1>backup/default/web1'].state).toBe('verified')
})
