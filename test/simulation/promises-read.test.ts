/** One tick by a clock that was ahead gives no promise a year of grace. */
import { expect, test } from 'vitest'
import { run } from '../../functions/run.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { begin } from './notify-town.ts'
import { statusIn } from './status.ts'

test('a first backup that never comes is a broken promise, though one tick came from a clock a year ahead', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20)
  const { world } = town
  write(seedInstance(world.incus.main, { name: 'db', running: true }), 'db 1', 1e6)
  world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && path.startsWith('/1.0/instances/db/snapshots')
      ? { before: { status: 500, error: 'bad' } }
      : null
  const [io] = world.places
  if (io === undefined) throw new Error('no place')
  await world.clock.settle(run({ kind: 'cron', at: new Date(world.clock.now() + 365 * 86_400_000) }, io))
  await world.clock.advance(world.clock.now() + 61_000)
  await town.pass(60 * 5)
  const { promises } = await statusIn(world)
  const states = promises.filter(({ subject }) => subject === 'main/default/db').map(({ state }) => state)
  expect(states).toEqual(['broken', 'broken'])
})

test('what of the facts can’t be read or believed is told, looked at anew, and written whole', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20)
  const { world } = town
  const facts = JSON.parse((await world.kv.place().get('promises')) ?? '') as { subjects: object }
  for (const [damaged, part] of [
    ['{', 'what is known of the promises'],
    [
      JSON.stringify({ ...facts, subjects: { hourly: { 'main/default/web': { taken: 5 } } } }),
      'the promises of policy hourly',
    ],
    [JSON.stringify({ ...facts, at: '2030-01-01T00:00:00.000Z' }), 'they were in the future'],
  ] as const) {
    world.kv.restore('promises', damaged)
    await world.clock.advance(world.clock.now() + 1_500)
    const [told] = (await statusIn(world)).warnings.filter((text) => text.includes(part))
    expect(told).toContain('in KV could not be read')
    await town.pass(Math.ceil((world.clock.now() - Date.parse('2026-11-22T03:00:10Z')) / 60_000) + 4)
    expect(await statusIn(world)).toMatchObject({ health: 'good', warnings: [] })
  }
})
