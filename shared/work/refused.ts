/** Long work whose job the relay refused, in the ledger after a run. */
import { describe } from '../incus/refusal.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import { own } from '../own.ts'
import type { Outcome } from '../plan/jobs.ts'
import type { AnyAction } from '../plan/plan.ts'
import { minutesFrom } from '../schedule/moment.ts'
import type { RunResult } from './kind.ts'
import { afterStart, type RetryPolicy } from './life.ts'

type Refused = Extract<Outcome, { state: 'refused' }>

/** `requested`: somebody asked for it in this run. `since`: earlier tries that don't count. */
type Refusing = { requested: boolean; now: Date; policy: RetryPolicy; since?: number }

/** `before`: its entry until now. */
export function afterRefusal<Entry extends Work>(
  planned: Entry,
  before: Entry | undefined,
  outcome: Refused,
  { requested, ...counting }: Refusing,
): Entry | null {
  // A refused request was not begun, and its result says so.
  if (requested) return before ?? null
  // Another job is at work on the instance: what is left to do stays so, with the reason.
  if (outcome.error.code === 'locked')
    return { ...planned, reason: describe(outcome.error), retryAt: minutesFrom(counting.now, 1) }
  return afterStart(planned, before, outcome, counting)
}

/** Of each action of that kind: `keyOf` gives the key of its work. */
export function recordRefused(
  { work: known }: Pick<Ledger, 'work'>,
  { plan, outcomes, now }: RunResult,
  { action, keyOf, policy }: { action: string; keyOf: (action: AnyAction) => string; policy: RetryPolicy },
): Record<string, Work | null> {
  const entries = outcomes.flatMap((outcome) => {
    if (outcome.action.kind !== action || outcome.state !== 'refused') return []
    const key = keyOf(outcome.action)
    const planned = own(plan.work, key)
    if (planned == null) return []
    const refusing = { requested: plan.requested, now, policy }
    return [[key, afterRefusal(planned, own(known, key), outcome, refusing)] as const]
  })
  return Object.fromEntries(entries)
}
