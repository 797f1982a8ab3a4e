/** What the page costs the Worker in processor time, beside a due tick of the same instances. */
import { setTimeout as sleep } from 'node:timers/promises'
import { whileOpen } from './closing.ts'
import { startFakeRelay } from './fake-relay.ts'
import { atMost, median, type Report } from './figure.ts'
import { HOUR, inventoryAt } from './processor.ts'
import { processorTime } from './processor-time.ts'
import { newKey, startWorker } from './worker.ts'

const INSTANCES = 1000
const ROUNDS = 30
const WARM_UP = 10
/** What runs on after the answer, in milliseconds. */
const AFTERMATH = 25

const POLICIES = {
  hourly: {
    select: { remotes: ['main'] },
    schedule: '@hourly',
    keep: { hourly: 49 },
    copy: { remote: 'backup' },
  },
}

export const benchPage = (): Promise<Report> =>
  whileOpen(async (open) => {
    const relay = await open(startFakeRelay())
    const worker = await open(startWorker(relay.url, newKey()))
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const before = await processorTime(worker.pid)
      await work()
      await sleep(AFTERMATH)
      return (await processorTime(worker.pid)) - before
    }
    let at = Math.floor(Date.now() / HOUR) * HOUR
    relay.show(inventoryAt(at, INSTANCES))
    await worker.apply({ policies: POLICIES })
    const ways: Record<string, () => Promise<unknown>> = {
      tick: () => worker.tick(new Date(at)),
      first: () => worker.read('/'),
      last: () => worker.read('/?q=web&page=20'),
      subject: () => worker.read('/subject/main/default/web0500'),
    }
    const times: Record<string, number[]> = {}
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      at += HOUR
      relay.show(inventoryAt(at, INSTANCES))
      for (const [name, way] of Object.entries(ways)) {
        const ms = await timed(way)
        if (round >= WARM_UP) times[name] = [...(times[name] ?? []), ms]
      }
    }
    const ms = (name: string): number => median(times[name] ?? [])
    return {
      figures: [
        atMost('first screen : due tick', ms('first') / ms('tick'), '×', 0.5),
        atMost('a page of a search : due tick', ms('last') / ms('tick'), '×', 0.5),
        atMost('page of one instance : due tick', ms('subject') / ms('tick'), '×', 0.8),
      ],
      notes: [
        `${INSTANCES} instances × 50 snapshots, of which a screen shows 50 instances; medians of ${ROUNDS} rounds`,
        Object.keys(ways)
          .map((name) => `${name} ${ms(name).toFixed(1)} ms`)
          .join(', '),
      ],
    }
  })
