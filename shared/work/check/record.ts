/** Records checks in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { afterStart } from '../life.ts'
import type { CheckAction } from './action.ts'
import { CHECK, type CheckWork, checkIn } from './entry.ts'
import { RETRY } from './tries.ts'

export function recordChecks(before: Ledger, { plan, outcomes, now }: RunResult): Recorded {
  const work: [string, CheckWork | null][] = []
  for (const outcome of outcomes) {
    if (outcome.action.kind !== 'check' || outcome.state !== 'refused') continue
    const key = subjectKey((outcome.action as CheckAction).ref)
    const entry = own(plan.work, workKey(CHECK, key)) as CheckWork | null | undefined
    if (entry == null) continue
    const known = checkIn(before, key)
    // A refused request was not begun, and its result says so.
    const next = plan.requested ? (known ?? null) : afterStart(entry, known, outcome, { now, policy: RETRY })
    work.push([workKey(CHECK, key), next])
  }
  return { work: Object.fromEntries(work) }
}
