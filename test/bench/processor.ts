/** What a due tick costs the Worker in processor time. The relay is a prepared one, so only the Worker works. */
import { setTimeout as sleep } from 'node:timers/promises'
import { snapshotName } from '../../shared/incus/snapshot-name.ts'
import type { InventoryReply } from '../../shared/relay/protocol.ts'
import { whileOpen } from './closing.ts'
import { type FakeRelay, startFakeRelay } from './fake-relay.ts'
import { atMost, type Figure, median, type Report } from './figure.ts'
import { processorTime } from './processor-time.ts'
import { type BenchWorker, newKey, startWorker } from './worker.ts'

const SNAPSHOTS = 50
export const HOUR = 3_600_000
/** An isolate compiles what is hot on the way; these ticks aren't counted. */
const WARM_UP = 20
const TICKS = 40
/** What runs on after the answer, in milliseconds, such as the collection of garbage. */
const AFTERMATH = 25

const CASES = [
  { instances: 100, bound: 10 },
  { instances: 1000, bound: 60 },
]

export async function benchProcessor(): Promise<Report> {
  const figures: Figure[] = []
  const notes = [
    `every instance has ${SNAPSHOTS} snapshots of its policy, gets one and loses one`,
    `processor time of all threads of workerd (schedstat), bare: bundle as deployed, KV and relay in another process; median of ${TICKS} ticks after ${WARM_UP}`,
  ]
  for (const { instances, bound } of CASES) {
    const { due, idle } = await measure(instances)
    const [first = 0, last = 0] = [Math.min(...due), Math.max(...due)]
    figures.push(
      atMost(`due tick of ${instances} instances × ${SNAPSHOTS} snapshots`, median(due), 'ms', bound),
    )
    notes.push(
      `${instances} instances: ${first.toFixed(1)} to ${last.toFixed(1)} ms; a tick with nothing due: ${median(idle).toFixed(1)} ms`,
    )
  }
  return { figures, notes }
}

type Measured = { due: number[]; idle: number[] }

const measure = (instances: number): Promise<Measured> =>
  whileOpen(async (open) => {
    const relay = await open(startFakeRelay())
    const worker = await open(startWorker(relay.url, newKey()))
    return measureTicks(instances, relay, worker)
  })

async function measureTicks(instances: number, relay: FakeRelay, worker: BenchWorker): Promise<Measured> {
  const timed = async (at: number): Promise<number> => {
    const before = await processorTime(worker.pid)
    await worker.tick(new Date(at))
    await sleep(AFTERMATH)
    return (await processorTime(worker.pid)) - before
  }
  let at = Math.floor(Date.now() / HOUR) * HOUR
  relay.show(inventoryAt(at, instances))
  await worker.apply({
    policies: {
      hourly: { select: { remotes: ['main'] }, schedule: '@hourly', keep: { hourly: SNAPSHOTS - 1 } },
    },
  })
  relay.calls()
  const due: number[] = []
  for (let tick = 0; tick < WARM_UP + TICKS; tick++) {
    at += HOUR
    relay.show(inventoryAt(at, instances))
    due.push(await timed(at))
    const { steps } = relay.calls()
    if (steps !== 2 * instances) throw new Error(`a tick made ${steps} steps instead of ${2 * instances}`)
  }
  const idle: number[] = []
  for (let tick = 1; tick <= 10; tick++) idle.push(await timed(at + tick * 60_000))
  return { due: due.slice(WARM_UP), idle }
}

/** Just before the slot `at` is served: the hours before it have their snapshots. */
export function inventoryAt(at: number, instances: number): InventoryReply {
  const snapshots = Array.from({ length: SNAPSHOTS }, (_, age): [string, number] => {
    const slot = at - (age + 1) * HOUR
    return [snapshotName({ policy: 'hourly', slot: new Date(slot) }), slot / 1000 + 2]
  })
  const records = Array.from({ length: instances }, (_, index) => ({
    project: 'default',
    name: `web${String(index).padStart(4, '0')}`,
    type: 'container' as const,
    status: 'Running',
    location: 'none',
    pool: 'default',
    config: {},
    own: [],
    snapshots,
  }))
  const server = { fingerprint: 'a'.repeat(64), version: '6.0.4', clustered: false }
  const inventory = {
    server,
    projects: ['default'],
    pools: { default: 'btrfs' },
    instances: records,
    operations: [],
  }
  return { remotes: { main: { ok: true, inventory } }, jobs: [] }
}
