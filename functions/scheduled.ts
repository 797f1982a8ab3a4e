/** The cron trigger: one tick, at the time it was scheduled for. */
import { type Env, missingOf } from './env.ts'
import { ioOf } from './io.ts'
import { logRun } from './log-run.ts'
import { run } from './run.ts'

/** Throws when it could not observe anything, so that the platform counts the invocation as failed. */
export async function tick(scheduledTime: number, env: Env): Promise<void> {
  const missing = missingOf(env)
  if (missing.length > 0) throw new Error(`stapes is not set up: ${missing.join(', ')} missing`)
  const at = new Date(scheduledTime)
  const ran = await run({ kind: 'cron', at }, await ioOf(env, () => at))
  if (ran.state === 'unconfigured' && ran.problems.length > 0) throw new Error(ran.problems.join('; '))
  logRun(ran)
}
