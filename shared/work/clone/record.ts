/** Records new instances in the ledger after a run. */
import { describe } from '../../incus/refusal.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { afterStart } from '../life.ts'
import type { CloneAction } from './action.ts'
import { CLONE, type CloneWork, cloneIn } from './entry.ts'
import { RETRY } from './tries.ts'

export function recordClones(before: Ledger, { plan, outcomes, now }: RunResult): Recorded {
  const work = outcomes.flatMap((outcome) => {
    if (outcome.action.kind !== 'clone' || outcome.state !== 'refused') return []
    const key = subjectKey((outcome.action as CloneAction).to)
    const planned = own(plan.work, workKey(CLONE, key)) as CloneWork | null | undefined
    const known = cloneIn(before, key)
    if (planned == null) return []
    return [[workKey(CLONE, key), entryAfter(planned, known, outcome, plan.requested, now)] as const]
  })
  return { work: Object.fromEntries(work) }
}

type Refused = Extract<Outcome, { state: 'refused' }>

function entryAfter(
  planned: CloneWork,
  known: CloneWork | undefined,
  outcome: Refused,
  requested: boolean,
  now: Date,
): CloneWork | null {
  // A refused request was not begun, and its result says so.
  if (requested) return known ?? null
  if (outcome.error.code === 'locked')
    return { ...planned, reason: describe(outcome.error), retryAt: minutesFrom(now, 1) }
  return afterStart(planned, known, outcome, { now, policy: RETRY })
}
