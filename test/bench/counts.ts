/** What a free plan counts: calls that leave the Worker, and writes to KV. In process, on virtual time. */
import type { Relay } from '../../functions/incus/relay.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { createWorld, type World } from '../simulation/world.ts'
import { readDocument } from '../unit/policy/documents.ts'
import { atMost, type Report } from './figure.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE

export async function benchCounts(): Promise<Report> {
  const calls = await countCalls(300)
  const writes = await countWrites(50)
  return {
    figures: [
      atMost('calls to the relay in one tick, all remotes together', calls.most, '', 4),
      atMost('KV writes of a day: 50 instances, hourly, daily and nightly copy', writes, '', 300),
    ],
    notes: [
      `calls: 300 instances due at once, each with a copy; the most of ${calls.ticks} ticks, of which ${calls.busy} had work`,
      'writes: the third day of the example stapes.jsonc, a tick every minute, nothing failing',
      'both: the real run() and relay engine in process, with the embedded Incus',
    ],
  }
}

/** A quarter of an hour around a slot at which everything is due, copies included. */
async function countCalls(instances: number): Promise<{ most: number; ticks: number; busy: number }> {
  const world = await furnish(instances)
  const [place] = world.places
  if (place === undefined) throw new Error('the world has no place')
  let calls = 0
  const relay: Relay = {
    glance: (remotes) => {
      calls += 1
      return place.relay.glance(remotes)
    },
    inventory: (asked) => {
      calls += 1
      return place.relay.inventory(asked)
    },
    batch: (jobs) => {
      calls += 1
      return place.relay.batch(jobs)
    },
  }
  world.places.splice(0, world.places.length, { ...place, relay })
  const copy = { remote: 'backup' }
  await world.apply({
    defaults: { remotes: ['main'] },
    policies: { nightly: { schedule: '0 3 * * *', keep: { daily: 7 }, copy } },
  })
  const seen: number[] = []
  for (let tick = 0; tick < 75; tick++) {
    calls = 0
    await step(world)
    seen.push(calls)
  }
  mustHold(world, 'backup', instances, 1)
  return { most: Math.max(...seen), ticks: seen.length, busy: seen.filter((count) => count > 1).length }
}

async function countWrites(instances: number): Promise<number> {
  const world = await furnish(instances)
  await world.apply(readDocument('stapes.jsonc'))
  await pass(world, 2 * DAY)
  const before = world.kv.counts.writes
  await pass(world, DAY)
  mustHold(world, 'main', instances, 24)
  mustHold(world, 'backup', instances, 24)
  return world.kv.counts.writes - before
}

/** Half past two at night, and some data in every instance. */
async function furnish(instances: number): Promise<World> {
  const world = createWorld({ start: new Date('2026-03-02T02:30:20Z') })
  for (let index = 0; index < instances; index++) {
    const instance = seedInstance(world.incus.main, { name: `web-${index}`, running: true })
    write(instance, 'data', 1000)
  }
  return world
}

/** What was counted was worth counting only if the work was done. */
function mustHold(world: World, remote: 'main' | 'backup', instances: number, snapshots: number): void {
  const held = [...(world.incus[remote].state.projects.get('default')?.instances.values() ?? [])]
  const short = held.filter((instance) => instance.snapshots.size < snapshots)
  if (held.length !== instances || short.length > 0)
    throw new Error(
      `${remote} has ${held.length} instances, ${short.length} with fewer than ${snapshots} snapshots`,
    )
}

async function pass(world: World, time: number): Promise<void> {
  for (let passed = 0; passed < time; passed += MINUTE) await step(world)
}

async function step(world: World): Promise<void> {
  const ticked = await world.tick(new Date(world.clock.now() - (world.clock.now() % MINUTE) + MINUTE))
  if ('threw' in ticked) throw new Error(ticked.threw)
}
