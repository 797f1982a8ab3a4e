/** What is noted of restores after a run. */
import { instanceKey } from '../incus/inventory.ts'
import { classify, describe, mayRetry } from '../incus/refusal.ts'
import type { Ledger, RestoreLedger } from '../ledger/ledger.ts'
import { minutesFrom } from '../schedule/moment.ts'
import type { Outcome } from './jobs.ts'
import type { Plan } from './plan.ts'
import { broken } from './restore-tries.ts'

export function restoresAfter(
  before: Ledger,
  plan: Plan,
  outcomes: readonly Outcome[],
  now: Date,
): Record<string, RestoreLedger> {
  const restores = { ...plan.restores }
  for (const outcome of outcomes) {
    const { action } = outcome
    if (outcome.state !== 'refused') continue
    if (action.kind === 'start' || action.kind === 'undo')
      noteStart(restores, instanceKey(action.ref), outcome)
    if (action.kind !== 'restore') continue
    const key = instanceKey(action.ref)
    const noted = restores[key]
    const known = before.restores?.[key]
    // Nothing was begun of what somebody has just asked for, and they are told so.
    if (plan.asked) {
      if (known === undefined) delete restores[key]
      else restores[key] = known
    } else if (noted !== undefined)
      restores[key] =
        outcome.error.code === 'locked'
          ? { ...noted, reason: describe(outcome.error), retryAt: minutesFrom(now, 1) }
          : broken(noted, describe(outcome.error), !mayRetry(classify(outcome.error)), now)
  }
  return restores
}

/** Why it doesn't start is told once it was tried often enough. */
function noteStart(
  restores: Record<string, RestoreLedger>,
  key: string,
  { error }: Extract<Outcome, { state: 'refused' }>,
): void {
  const noted = restores[key]
  if (noted === undefined || noted.refused === true) return
  restores[key] = { ...noted, reason: describe(error) }
}
