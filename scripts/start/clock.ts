/** Replaces the cron trigger: a tick at once, and then one at each full minute. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cleanup } from './cleanup.ts'
import type { Worker } from './worker.ts'

const MINUTE = 60_000
/** A timer may go off a millisecond early, which would be the minute before, and the next one be left out. */
const LATE = 20

export async function runClock(
  { tick }: Pick<Worker, 'tick'>,
  cleanup: Cleanup,
  onFailure: (what: string) => void,
): Promise<void> {
  while (!cleanup.ending) {
    // The platform's cron times are whole minutes too.
    const failure = await tick(new Date(Math.floor(Date.now() / MINUTE) * MINUTE))
    if (failure !== null && !cleanup.ending) onFailure(failure)
    await sleep(MINUTE - (Date.now() % MINUTE) + LATE)
  }
}
