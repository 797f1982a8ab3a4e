/** A server whose clock is wrong: it is told, snapshots are taken once, and all is well once it is set. */
import { expect, test } from 'vitest'
import { instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { warningsOf } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-22T13:50:10Z')
const HOUR = 3_600_000
const minute = (count: number): Date => new Date(Date.parse('2026-11-22T13:50:00Z') + count * 60_000)
const HOURLY = { remotes: ['main'], schedule: '@hourly', keep: { last: 2 }, copy: { remote: 'backup' } }

async function begin(skewMs: number): Promise<World> {
  const world = createWorld({ start: START })
  for (const name of ['db1', 'web1'])
    write(seedInstance(world.incus.main, { name, running: true }), `${name} 0`, 1000)
  world.incus.main.skewMs = skewMs
  await world.apply({ policies: { hourly: HOURLY } })
  return world
}

async function pass(world: World, from: number, until: number): Promise<void> {
  for (let at = from; at < until; at++) await world.tick(minute(at), at % 2)
}

const taken = (world: World, name: string): string[] => [
  ...instanceOf(world.incus.main, { name }).snapshots.keys(),
]

test('that is two hours behind is told, and each slot is taken once, though others of it fail', async () => {
  const world = await begin(-2 * HOUR)
  world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && path.includes('/db1/snapshots')
      ? { operation: 'Failed to copy: No space left on device' }
      : null
  await pass(world, 1, 140)
  expect(taken(world, 'web1')).toEqual([
    'hourly-20261122T1350Z',
    'hourly-20261122T1400Z',
    'hourly-20261122T1500Z',
    'hourly-20261122T1600Z',
  ])
  const warnings = await warningsOf(world)
  expect(warnings.filter((text) => text.includes('clock'))).toEqual([
    expect.stringMatching(/^main: its clock is 2 h behind: correct it/),
  ])
  // What is dated so doesn't count, so nothing of it is promised to be there.
  expect(warnings.join('\n')).toMatch(/main\/default\/web1 has no snapshot of hourly yet, which was promised/)
})

test('and once it is set, the next slot is counted and copied', async () => {
  const world = await begin(-2 * HOUR)
  await pass(world, 1, 30)
  expect(world.incus.backup.state.projects.get('default')?.instances.size).toBe(0)
  world.incus.main.skewMs = 0
  await pass(world, 30, 80)
  expect(await warningsOf(world)).toEqual([])
  expect(taken(world, 'web1')).toContain('hourly-20261122T1500Z')
  expect(instanceOf(world.incus.backup, { name: 'web1' }).config['user.stapes.verified']).toContain(
    'hourly-20261122T1500Z',
  )
})

test('that is ahead is told, and what it dated in the future, once it is set', async () => {
  const world = await begin(3 * HOUR)
  await pass(world, 1, 15)
  expect(taken(world, 'web1')).toEqual(['hourly-20261122T1350Z', 'hourly-20261122T1400Z'])
  const [first, ...others] = await warningsOf(world)
  expect(first).toMatch(/^main: its clock is 3 h ahead: correct it/)
  expect(others).toHaveLength(4)
  for (const text of others) expect(text).toMatch(/of hourly yet; the first one is promised by/)
  world.incus.main.skewMs = 0
  await pass(world, 15, 75)
  expect(await warningsOf(world)).toEqual([
    expect.stringMatching(
      /^main\/default\/db1: hourly-20261122T1350Z, hourly-20261122T1400Z are dated in the future/,
    ),
    expect.stringMatching(/^main\/default\/web1: .*incus snapshot delete web1 hourly-20261122T1350Z$/),
  ])
  // They keep none from being copied that was made since.
  expect(instanceOf(world.incus.backup, { name: 'web1' }).config['user.stapes.verified']).toContain(
    'hourly-20261122T1500Z',
  )
})

test.each([-8, 8])('that is %i minutes off is no matter', async (minutes) => {
  const world = await begin(minutes * 60_000)
  await pass(world, 1, 15)
  expect(await warningsOf(world)).toEqual([])
})
