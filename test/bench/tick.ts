/** A due tick, from the trigger to the last snapshot done, against other ways to the same end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Daemons, type Pair, startPair } from '../lab/pair.ts'
import { whileOpen } from './closing.ts'
import { atMost, median, type Report } from './figure.ts'
import { startRelayProcess } from './relay-process.ts'
import { timeScheduler } from './scheduler.ts'
import { eachOf, openStraight, type Straight, type Subjects } from './straight.ts'
import { type BenchWorker, newKey, startWorker } from './worker.ts'

type TickOptions = {
  subjects: Subjects
  /** How many of them. */
  instances: number
  rounds: number
  /** Another daemon than the installed one. */
  daemons: Daemons
  onRound(line: string): void
}

/** A shell loop is slow and even: so many of the instances tell how long all would take. */
const SHELL_SAMPLE = 60
const AT_ONCE = [2, 4, 6, 8]
const SELECT = {
  instances: { remotes: ['main'] },
  volumes: { remotes: ['main'], instances: [], volumes: ['*:bench-*'] },
}

/** Milliseconds for all instances. */
type Way = () => Promise<number>

type Bench = { pair: Pair; subjects: Subjects; instances: string[]; straight: Straight; worker: BenchWorker }

export function benchTick({ subjects, instances, rounds, daemons, onRound }: TickOptions): Promise<Report> {
  return whileOpen(async (open) => {
    const pair = await open(startPair({ daemons }))
    const key = newKey()
    const relay = await open(startRelayProcess([pair.main], key))
    const worker = await open(startWorker(relay.url, key))
    const straight = await open(openStraight(pair.main, subjects))
    const names = Array.from({ length: instances }, (_, index) => `bench-${String(index).padStart(4, '0')}`)
    await eachOf(names, 4, (name) => make(pair, subjects, name))
    await worker.apply({ policies: { every: { select: SELECT[subjects], schedule: '* * * * *' } } })
    return race({ pair, subjects, instances: names, straight, worker }, rounds, onRound)
  })
}

const make = async ({ main }: Pair, subjects: Subjects, name: string): Promise<void> =>
  subjects === 'instances'
    ? void (await main.createInstance({ name }))
    : void (await main.run('POST', `/1.0/storage-pools/${main.pool}/volumes/custom`, {
        name,
        type: 'custom',
      }))

async function race(bench: Bench, rounds: number, onRound: (line: string) => void): Promise<Report> {
  const tick = productWay(bench)
  // Unmeasured: the relay's limiter and the Worker's isolate are warm in daily life.
  await tick()
  await bench.straight.clear()
  const { atOnce, rates } = await findBest(bench)
  const ways: Record<string, Way> = {
    stapes: tick,
    straight: () => timed(() => bench.straight.take(bench.instances, 'straight', atOnce)),
    // What is beyond the bare calls is the same for both.
    ...(bench.subjects === 'volumes'
      ? {}
      : { scheduler: () => timeScheduler(bench.pair.main), shell: () => shellWay(bench) }),
  }
  const times: Record<string, number[]> = {}
  for (let round = 1; round <= rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const ms = await way()
      times[name] = [...(times[name] ?? []), ms]
      await mustHaveTaken(
        name,
        name === 'shell' ? sampleOf(bench).length : bench.instances.length,
        bench.straight,
      )
      onRound(`round ${round}: ${name} ${(ms / 1000).toFixed(2)} s`)
      await bench.straight.clear()
    }
  }
  const inventory = await timeIdleLook(bench)
  const { subjects, instances } = bench
  return reportOf(times, { atOnce, rates, inventory, subjects, instances: instances.length, rounds })
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Each tick serves the next minute's slot, whatever the time is. */
function productWay({ worker }: Bench): Way {
  let slot = Math.floor(Date.now() / 60_000) * 60_000
  return () => {
    slot += 60_000
    return timed(() => worker.tick(new Date(slot)))
  }
}

/** A way that left something undone would look fast. */
async function mustHaveTaken(name: string, count: number, straight: Straight): Promise<void> {
  const taken = await straight.count()
  if (taken !== count) throw new Error(`${name} took ${taken} snapshots instead of ${count}`)
}

/** Once each over a part of the instances; snapshots per second. */
async function findBest({ instances, straight }: Bench): Promise<{ atOnce: number; rates: string }> {
  const part = instances.slice(0, Math.ceil(instances.length / 2))
  const rates: { atOnce: number; rate: number }[] = []
  for (const atOnce of AT_ONCE) {
    const ms = await timed(() => straight.take(part, 'trial', atOnce))
    rates.push({ atOnce, rate: (part.length / ms) * 1000 })
    await straight.clear()
  }
  const best = rates.reduce((leader, one) => (one.rate > leader.rate ? one : leader))
  return {
    atOnce: best.atOnce,
    rates: rates.map(({ atOnce, rate }) => `${atOnce} at once ${rate.toFixed(1)}/s`).join(', '),
  }
}

const sampleOf = ({ instances }: Pick<Bench, 'instances'>): string[] => instances.slice(0, SHELL_SAMPLE)

async function shellWay({ pair, instances }: Bench): Promise<number> {
  const sample = sampleOf({ instances })
  const env = { ...process.env, INCUS_DIR: pair.main.dir }
  const loop = 'for name in "$@"; do incus snapshot create "$name" shell || exit 1; done'
  const ms = await timed(async () => {
    // The command reads its standard input when that isn't a terminal.
    const child = spawn('sh', ['-c', loop, 'sh', ...sample], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`the shell loop ended with ${code}`)
  })
  return (ms / sample.length) * instances.length
}

/** A tick that is asked to look again at a slot whose snapshots are there: everything but the taking. */
async function timeIdleLook({ worker }: Bench): Promise<number> {
  const began = performance.now()
  await worker.look()
  return performance.now() - began
}

type Circumstances = {
  atOnce: number
  rates: string
  inventory: number
  subjects: Subjects
  instances: number
  rounds: number
}

function reportOf(
  times: Record<string, number[]>,
  { atOnce, rates, inventory, subjects, instances, rounds }: Circumstances,
): Report {
  const seconds = (name: string): number => median(times[name] ?? []) / 1000
  const ratio = (other: string): number => seconds('stapes') / seconds(other)
  const spread = (name: string): string =>
    `${seconds(name).toFixed(2)} s (${(times[name] ?? []).map((ms) => (ms / 1000).toFixed(2)).join(', ')})`
  return {
    figures: [
      atMost(`tick : undici straight at Incus, ${atOnce} at once`, ratio('straight'), '×', 1.15),
      ...(subjects === 'volumes'
        ? []
        : [
            atMost("tick : Incus's own scheduler", ratio('scheduler'), '×', 0.8),
            atMost('tick : shell loop of incus snapshot create', ratio('shell'), '×', 0.75),
          ]),
    ],
    notes: [
      `${instances} ${subjects === 'volumes' ? 'custom volumes' : 'instances without a root file system'} on btrfs, medians of ${rounds} alternating rounds`,
      `tick ${spread('stapes')}; of it ${inventory.toFixed(0)} ms for Worker, relay and inventory, the rest is Incus taking snapshots`,
      `straight ${spread('straight')}; tried: ${rates}`,
      ...(subjects === 'volumes'
        ? []
        : [
            `scheduler ${spread('scheduler')}, from its operation's start to its end`,
            `shell ${spread('shell')}, ${Math.min(SHELL_SAMPLE, instances)} instances in turn, scaled to ${instances}`,
          ]),
    ],
  }
}
