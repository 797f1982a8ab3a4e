/** Records instances that may stay frozen after a run: by work with an unknown outcome, or not thawed yet. */
import { describe } from '../../incus/refusal.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { FreezeLedger, Ledger } from '../../ledger/ledger.ts'
import type { Outcome } from '../../plan/jobs.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Recorded, RunResult } from '../kind.ts'
import type { ThawAction } from './action.ts'
import { isPending } from './schedule.ts'

export function recordThaws(_before: Ledger, { plan, outcomes, frozen: begun, now }: RunResult): Recorded {
  const thaws = outcomes.filter(isThaw)
  const thawed = new Set(
    thaws.filter(({ state }) => state === 'done').map(({ action }) => subjectKey(action.ref)),
  )
  const failed = new Map(thaws.map((outcome) => [subjectKey(outcome.action.ref), outcome]))
  const left = Object.entries(plan.frozen)
    .filter(([key]) => !thawed.has(key))
    .map(([key, entry]) => {
      const outcome = failed.get(key)
      return [key, outcome === undefined ? entry : tried(entry, outcome)] as const
    })
  const frozen = { ...Object.fromEntries(left), ...begun }
  return { frozen, wake: Object.values(frozen).some(isPending) ? [minutesFrom(now, 1)] : [] }
}

const isThaw = (outcome: Outcome): outcome is Outcome<ThawAction> => outcome.action.kind === 'thaw'

function tried(entry: FreezeLedger, outcome: Outcome): FreezeLedger {
  if (outcome.state === 'refused' && outcome.error.code === 'locked') return entry
  const reason = outcome.state === 'refused' ? { reason: describe(outcome.error) } : {}
  return { ...entry, ...reason, tries: (entry.tries ?? 0) + 1 }
}
