/** The relay notices that ticks stop, and tells it by its own channels. */
import { expect, test } from 'vitest'
import { COMES_AGAIN } from '../../shared/ledger/beat.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { seedInstance } from '../emulator/scene.ts'
import { begin as beginTown } from './notify-town.ts'
import { nextMinute } from './passing.ts'
import { GRACE, listenTo, type RelayAlarm } from './relay-alarm.ts'
import { statusIn } from './status.ts'
import { createWorld, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const start = new Date('2026-11-20T00:00:30Z')

type Scene = RelayAlarm & {
  world: World
  /** Ticks as usual. */
  pass(ms: number): Promise<void>
  /** No tick comes. */
  stand(ms: number): Promise<void>
}

async function begin(
  policies: object = { daily: { remotes: ['main'], schedule: '0 0 * * *' } },
): Promise<Scene> {
  const world = createWorld({ start })
  seedInstance(world.incus.main, { name: 'web', running: true })
  await world.clock.advance(world.clock.now() + 10)
  const alarm = listenTo(world)
  await world.apply({ policies })
  return {
    ...{ world, ...alarm },
    async pass(ms) {
      for (let count = 0; count < ms / MINUTE; count++) await world.tick(nextMinute(world))
    },
    stand: (ms) => world.clock.advance(world.clock.now() + ms),
  }
}

const ALLOWED = (COMES_AGAIN.cron.again + GRACE) / MINUTE

test('ticks that stop are told within two minutes after the allowed silence, once, and that they come again, once', async () => {
  const { told, pass, stand } = await begin()
  await pass(2 * HOUR)
  expect(told).toEqual([])
  await stand(HOUR)
  expect(told).toHaveLength(1)
  expect(told[0]?.minute).toBeGreaterThanOrEqual(120 + ALLOWED)
  expect(told[0]?.minute).toBeLessThanOrEqual(120 + ALLOWED + 2)
  expect(told[0]?.title).toMatch(/^stapes: the edge has been silent for \d min$/)
  expect(told[0]?.text).toContain('newest snapshots on main:\n  web: daily-20261120T0000Z, 2 h ago')
  await pass(HOUR)
  expect(told).toHaveLength(2)
  expect(told[1]?.title).toBe('stapes: the edge is back, after 61 min of silence')
  await pass(3 * HOUR)
  expect(told).toHaveLength(2)
})

test('a restart of the relay in the silence repeats nothing and forgets nothing', async () => {
  const { told, pass, stand, restart } = await begin()
  await pass(HOUR)
  await stand(20 * MINUTE)
  restart()
  await stand(20 * MINUTE)
  expect(told).toHaveLength(1)
  await pass(10 * MINUTE)
  expect(told.map(({ title }) => title)).toEqual([
    expect.stringMatching(/^stapes: the edge has been silent/),
    expect.stringMatching(/^stapes: the edge is back/),
  ])
})

test('a relay that was down itself tells no silence of an edge that comes at once', async () => {
  const { world, told, pass, stand, restart } = await begin()
  await pass(HOUR)
  world.relay.up = false
  await stand(3 * MINUTE)
  await pass(2 * MINUTE)
  world.relay.up = true
  restart()
  await pass(HOUR)
  expect(told).toEqual([])
})

test('an edge that died while the relay was down is told by what the relay remembers', async () => {
  const { told, pass, stand, restart } = await begin()
  await pass(HOUR)
  restart()
  await stand((ALLOWED + 2) * MINUTE)
  expect(told).toEqual([expect.objectContaining({ text: expect.stringContaining('since 2026-11-20 0') })])
})

test('a channel that is down gets it later, and a silence that is over by then is not told at all', async () => {
  const { told, pass, stand, channel } = await begin()
  await pass(HOUR)
  channel.down = true
  await stand(20 * MINUTE)
  channel.down = false
  await stand(15 * MINUTE)
  expect(told.map(({ title }) => title)).toEqual([expect.stringMatching(/silent for [23]\d min/)])
  await pass(HOUR)
  channel.down = true
  await stand(20 * MINUTE)
  await pass(20 * MINUTE)
  channel.down = false
  await pass(HOUR)
  expect(told).toHaveLength(2)
})

test('while its servers are down the alarm comes all the same, and says so', async () => {
  const { world, told, pass, stand } = await begin()
  await pass(HOUR)
  world.incus.main.kill()
  await stand((ALLOWED + 2) * MINUTE)
  expect(told).toEqual([expect.objectContaining({ text: expect.stringContaining('main: no answer: ') })])
})

test('a configuration without policies leaves nothing to do, and that is told as well', async () => {
  const { world, told, pass } = await begin()
  await pass(HOUR)
  await world.apply({ policies: {} })
  await pass((ALLOWED + 3) * MINUTE)
  expect(told).toHaveLength(1)
})

test('a Worker that never comes is missed a quarter of an hour after the relay began to listen', async () => {
  const { told, stand } = await begin()
  await stand(15 * MINUTE + GRACE - MINUTE)
  expect(told).toEqual([])
  await stand(3 * MINUTE)
  expect(told).toEqual([
    expect.objectContaining({ text: expect.stringContaining('any Worker since it started') }),
  ])
})

test('an outside clock may be slower than the cron trigger', async () => {
  const { world, told, stand } = await begin()
  await world.tick(new Date(world.clock.now() + MINUTE), 0, 'tick')
  await stand(15 * MINUTE + GRACE - MINUTE)
  expect(told).toEqual([])
  await stand(3 * MINUTE)
  expect(told).toHaveLength(1)
})

test('what people request hides no silence', async () => {
  const { world, told, pass, stand } = await begin()
  await pass(HOUR)
  for (let count = 0; count < 6; count++) {
    await stand(2 * MINUTE)
    await world.tick(new Date(world.clock.now()), 0, 'run')
  }
  expect(told.map(({ title }) => title)).toEqual([expect.stringMatching(/^stapes: the edge has been silent/)])
})

test('a dead man’s switch hears every five minutes, and at once when the edge falls silent', async () => {
  const { pulses, pass, stand } = await begin()
  await pass(HOUR)
  expect(pulses.length).toBeGreaterThanOrEqual(12)
  expect(new Set(pulses)).toEqual(new Set(['heard']))
  await stand((ALLOWED + 1) * MINUTE)
  expect(pulses.at(-1)).toMatch(/^stapes: the edge has been silent/)
  await pass(2 * MINUTE)
  expect(pulses.at(-1)).toBe('heard')
})

test('from its first silence to its end: told once by the relay, with what Incus holds; then the slots are made up for', async () => {
  const town = await beginTown({ instances: ['db', 'web'] })
  const { told } = listenTo(town.world)
  const ledger = (): Ledger => JSON.parse(town.world.kv.peek('ledger') ?? '{}') as Ledger
  await town.pass(95)
  expect((await statusIn(town.world)).health).toBe('good')
  // From 4:35 to 5:30, over the slot of 5:00.
  const silence = 55 * MINUTE
  await town.world.clock.advance(town.world.clock.now() + silence)
  expect(told).toHaveLength(1)
  expect(told[0]?.minute).toBeGreaterThanOrEqual(95 + ALLOWED)
  expect(told[0]?.minute).toBeLessThanOrEqual(95 + ALLOWED + 2)
  const newest = 'hourly-20261122T0400Z, \\d+ min ago'
  expect(told[0]?.text).toMatch(
    new RegExp(
      [
        `newest snapshots on main:\n {2}(db|web): ${newest}\n {2}(db|web): ${newest}`,
        `newest verified snapshots of the copies on backup:\n {2}(db|web): ${newest}\n {2}(db|web): ${newest}`,
      ].join('\n'),
    ),
  )
  expect(await statusIn(town.world)).toMatchObject({
    health: 'bad',
    warnings: [expect.stringMatching(/^work has been due since .*, and no tick has come/)],
  })
  await town.pass(150 + 40)
  expect(told.map(({ title }) => title)).toEqual([
    expect.stringMatching(/^stapes: the edge has been silent for \d min$/),
    expect.stringMatching(/^stapes: the edge is back, after 5\d min of silence$/),
  ])
  expect((await statusIn(town.world)).health).toBe('good')
  expect(ledger().policies.hourly?.slots).toMatchObject([
    { slot: '2026-11-22T06:00:00.000Z', outcome: 'served' },
    { slot: '2026-11-22T05:00:00.000Z', outcome: 'served', reason: expect.stringContaining('late') },
    { slot: '2026-11-22T04:00:00.000Z', outcome: 'served' },
    {},
  ])
  // All of it was told by the relay, and nothing is left to tell.
  expect(town.posts).toEqual([])
})
