/** Incus's own scheduler, watched: what it misses is told within two minutes, and is over with its next slot. */
import { expect, test } from 'vitest'
import { instanceOf, seedInstance } from '../emulator/scene.ts'
import { statusIn, warningsOf } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = '2026-11-22T13:50:00Z'
const minute = (count: number): Date => new Date(Date.parse(START) + count * 60_000)
const HALF = { 'snapshots.schedule': '30 * * * *', 'snapshots.expiry': '7d' }

async function begin(db: Record<string, string>): Promise<World> {
  const world = createWorld({ start: new Date(Date.parse(START) + 10_000) })
  seedInstance(world.incus.main, { name: 'db1', running: true, config: { ...HALF, ...db } })
  seedInstance(world.incus.main, { name: 'web1', running: true, config: HALF })
  await world.apply({ policies: { daily: { remotes: ['main'], schedule: '@daily', keep: { last: 9 } } } })
  return world
}

async function pass(world: World, from: number, until: number): Promise<void> {
  for (let at = from; at < until; at++) await world.tick(minute(at), at % 2)
}

const told = async (world: World): Promise<string[]> =>
  (await warningsOf(world)).filter((text) => text.includes('own schedule'))

test('one failing instance that cancels the others of its minute is told within two minutes, and when it is over', async () => {
  const world = await begin({ 'snapshots.pattern': 'x%d%d' })
  await pass(world, 1, 40)
  expect(await told(world)).toEqual([])
  await pass(world, 40, 42)
  expect(instanceOf(world.incus.main, { name: 'web1' }).snapshots.has('snap0')).toBe(false)
  expect(await told(world)).toEqual([
    expect.stringMatching(/missed the slot 2026-11-22T14:30Z .* of main\/default\/db1 \(and 1 more there\)/),
  ])
  expect((await statusIn(world)).ownSchedules.main?.slots).toMatchObject([{ outcome: 'missed', served: 0 }])
  instanceOf(world.incus.main, { name: 'db1' }).config['snapshots.pattern'] = 'x%d'
  await pass(world, 42, 102)
  expect(await told(world)).toEqual([])
  expect((await statusIn(world)).ownSchedules.main?.slots).toMatchObject([
    { outcome: 'served', served: 2 },
    { outcome: 'missed' },
  ])
})

test('a server that is down at its slot has missed it as soon as it answers', async () => {
  const world = await begin({})
  await pass(world, 1, 35)
  world.incus.main.kill()
  await pass(world, 35, 45)
  world.incus.main.start()
  await pass(world, 45, 47)
  expect(await told(world)).toEqual([expect.stringContaining('missed the slot 2026-11-22T14:30Z')])
})
