/** How many hostile requests, from which seed, and how much memory they may leave behind. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { vi } from 'vitest'

/** `npm run fuzz` sends 100,000 to each door. */
export const COUNT = Number(process.env.FUZZ_COUNT ?? 5000)
/** Another seed, other requests. A failure names it. */
export const SEED = Number(process.env.FUZZ_SEED ?? 1)

export const PATIENCE = 900_000

/** What caches may come to hold, such as the last 1,000 ids; beyond it is a leak of 200 bytes per request for 100,000. */
const GROWTH = 16 * 1024 * 1024

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

function heap(): number {
  for (let round = 0; round < 3; round++) gc()
  return process.memoryUsage().heapUsed
}

/** Runs it once to warm up, then again; how much more the heap holds than allowed, 0 if nothing. */
export async function growthOf(work: (share: number) => Promise<void>): Promise<number> {
  await work(0.2)
  const before = heap()
  await work(0.8)
  return Math.max(0, heap() - before - GROWTH)
}

/** What the Worker logs is kept by nobody, as a spy would keep it. */
export function silence(): void {
  for (const name of ['error', 'log', 'warn'] as const)
    vi.stubGlobal('console', { ...console, [name]: () => {} })
}
