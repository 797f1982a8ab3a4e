/** The cron trigger: one tick, at the time it was scheduled for. */
import { type Env, missingOf } from './env.ts'
import { ioOf } from './io.ts'
import { logRun } from './log-run.ts'
import { notifyAll } from './notify/notifier.ts'
import { runPinged } from './ping/pinger.ts'
import type { State } from './state/ledger.ts'
import { readingOnce } from './state/once.ts'
import { retryOnce } from './state/retry-once.ts'

/** Milliseconds: the platform ends a cron invocation after 15 minutes, and the ledger is written before. */
const LIFE = 14 * 60_000

/** `started`: by the real clock, which may be later than what it was scheduled for. */
const deadlineOf = (started: Date): Date => new Date(started.getTime() + LIFE)

/**
 * Throws when it could not observe anything, so that the platform counts the invocation as failed. What is wrong is
 * told whatever came of the run. `now`: the real clock.
 */
export async function tick(scheduledTime: number, env: Env, now: () => Date): Promise<void> {
  const missing = missingOf(env)
  if (missing.length > 0) throw new Error(`stapes is not set up: ${missing.join(', ')} missing`)
  const state = readingOnce(retryOnce(env.STATE))
  try {
    await runAt(scheduledTime, env, state, now())
  } finally {
    await notifyAll(env, state, now, true)
  }
}

async function runAt(scheduledTime: number, env: Env, state: State, started: Date): Promise<void> {
  const at = new Date(scheduledTime)
  const io = { ...(await ioOf(env, () => at, deadlineOf(started))), state }
  const ran = await runPinged({ kind: 'cron', at }, io, env)
  if (ran.state === 'unconfigured' && ran.problems.length > 0) throw new Error(ran.problems.join('; '))
  logRun(ran, io)
}
