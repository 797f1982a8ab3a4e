/** The warning that ticks don't come tells of ticks alone. */
import { expect, test } from 'vitest'
import { changePause } from '../../functions/state/pauses.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-22T03:00:10Z')
const minutes = (count: number): Date => new Date(START.getTime() + count * 60_000)

async function begin(): Promise<World> {
  const world = createWorld({ start: START })
  write(seedInstance(world.incus.main, { name: 'web1', running: true }), 'web1', 600e6)
  await world.apply({
    policies: { daily: { remotes: ['main'], schedule: '0 3 * * *', copy: { remote: 'backup' } } },
  })
  return world
}

/** What it says of the ticks. */
const ticksAt = async (world: World, now: Date): Promise<string[]> =>
  (await statusIn(world, now)).conditions.filter(({ id }) => id === 'ticks').map(({ text }) => text)

test.each(['main', 'backup'] as const)(
  '%s is down for half a day: ticks come, and nothing else is said of them',
  async (remote) => {
    const world = await begin()
    world.incus[remote].kill()
    for (let minute = 0; minute < 12 * 60; minute++) {
      await world.tick(minutes(minute))
      expect(await ticksAt(world, minutes(minute + 0.9))).toEqual([])
    }
    expect(world.kv.counts.writes).toBeLessThan(300)
  },
)

test('a copy that takes hours is no silence', async () => {
  const world = await begin()
  world.incus.main.bandwidth = 600e6 / (3 * 3600)
  for (let minute = 0; minute < 170; minute++) {
    await world.tick(minutes(minute))
    expect(await ticksAt(world, minutes(minute + 0.9))).toEqual([])
  }
})

test('ticks that end in the midst of a copy are missed, whatever stands in the ledger', async () => {
  const world = await begin()
  world.incus.main.bandwidth = 600e6 / (3 * 3600)
  for (let minute = 0; minute < 10; minute++) await world.tick(minutes(minute))
  expect(await ticksAt(world, minutes(20))).toEqual([expect.stringContaining('no tick has come for')])
  expect(await ticksAt(world, minutes(60 * 24 * 20))).toHaveLength(1)
})

test('a pause that was just set is not overdue, though nobody has looked for hours', async () => {
  const world = await begin()
  for (let minute = 0; minute < 30; minute++) await world.tick(minutes(minute))
  const [place] = world.places
  if (place === undefined) throw new Error('no place')
  await world.clock.advance(minutes(300))
  const change = {
    do: 'pause',
    policy: 'daily',
    by: 'ann',
    at: minutes(300).toISOString(),
    until: null,
  } as const
  await changePause(change, place.state, minutes(300))
  expect(await ticksAt(world, minutes(301))).toEqual([])
  expect(await ticksAt(world, minutes(320))).toEqual([expect.stringContaining('no tick has come for')])
})
