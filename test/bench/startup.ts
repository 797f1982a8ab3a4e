/**
 * What a cold start of the Worker costs: workerd begins, compiles the bundle, runs its modules and answers once. Of two
 * checkouts side by side where one to compare with is given, for an isolate's start depends on the machine.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { type Bundle, buildBundle } from './bundle.ts'
import { whileOpen } from './closing.ts'
import { atMost, type Figure, median, type Report } from './figure.ts'
import { startKeyValue } from './key-value.ts'
import { processorTime } from './processor-time.ts'
import { endProcess } from './relay-process.ts'
import { serve } from './worker.ts'

const ROUNDS = 25
/** Of the other checkout's. */
const BOUND = 1.5

/** `against`: the folder of another checkout, with its packages. */
type Options = { against: string | undefined; onRound(line: string): void }

export function benchStartup({ against, onRound }: Options): Promise<Report> {
  return whileOpen(async (open) => {
    const keyValue = await open(startKeyValue())
    const build = async (root?: string) => {
      const bundle = await buildBundle(root)
      return open({ ...bundle, close: () => bundle.remove() })
    }
    const ours = await build()
    const theirs = against === undefined ? null : await build(resolve(against))
    const taken: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
    for (let round = 0; round < ROUNDS; round++) {
      taken.ours.push(await startCold(ours, keyValue.port))
      if (theirs !== null) taken.theirs.push(await startCold(theirs, keyValue.port))
      onRound(`round ${round + 1}: ${lastOf(taken.ours)} ms; compared with: ${lastOf(taken.theirs)} ms`)
    }
    return reportOf(taken)
  })
}

const lastOf = (values: readonly number[]): string => values.at(-1)?.toFixed(0) ?? 'nothing'

/** Processor time of workerd, in milliseconds, until it has answered once. */
async function startCold(bundle: Bundle, keyValuePort: number): Promise<number> {
  const key = randomBytes(32).toString('base64')
  const secrets = {
    ...{ RELAY_URL: 'http://127.0.0.1:1', RELAY_KEY_ID: 'bench', RELAY_KEY: key },
    STAPES_TOKEN: randomBytes(16).toString('hex'),
  }
  const { child, url } = await serve(bundle, keyValuePort, secrets)
  try {
    const { status } = await fetch(`${url}/api/status`)
    if (status !== 401) throw new Error(`without a token the Worker answered ${status}`)
    return await processorTime(child.pid ?? 0)
  } finally {
    await endProcess(child)
  }
}

function reportOf({ ours, theirs }: { ours: number[]; theirs: number[] }): Report {
  const mine = median(ours)
  const other = median(theirs)
  const figures: Figure[] =
    theirs.length === 0
      ? [{ name: 'cold start of the Worker', value: mine, unit: 'ms' }]
      : [atMost('cold start : that of the other checkout', mine / other, '×', BOUND)]
  return {
    figures,
    notes: [
      `processor time of workerd until its first answer, median of ${ours.length}: ${mine.toFixed(0)} ms (${Math.min(...ours).toFixed(0)} to ${Math.max(...ours).toFixed(0)})`,
      ...(theirs.length === 0
        ? ['no ratio: --against=<folder of another checkout> gives it']
        : [
            `the other one: ${other.toFixed(0)} ms (${Math.min(...theirs).toFixed(0)} to ${Math.max(...theirs).toFixed(0)})`,
          ]),
    ],
  }
}
