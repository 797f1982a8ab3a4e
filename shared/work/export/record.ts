/** Records exports in the ledger after a run. */
import { describe } from '../../incus/refusal.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { afterStart } from '../life.ts'
import type { ExportAction } from './action.ts'
import { EXPORT, type ExportWork, exportIn } from './entry.ts'
import { RETRY } from './tries.ts'

export function recordExports(before: Ledger, { plan, outcomes, now }: RunResult): Recorded {
  const work: [string, ExportWork | null][] = []
  for (const outcome of outcomes) {
    if (outcome.action.kind !== 'export' || outcome.state !== 'refused') continue
    const key = subjectKey((outcome.action as ExportAction).ref)
    const entry = own(plan.work, workKey(EXPORT, key)) as ExportWork | null | undefined
    if (entry == null) continue
    const known = exportIn(before, key)
    // A refused request was not begun, and its result says so.
    if (plan.requested) work.push([workKey(EXPORT, key), known ?? null])
    else if (outcome.error.code === 'locked')
      work.push([
        workKey(EXPORT, key),
        { ...entry, reason: describe(outcome.error), retryAt: minutesFrom(now, 1) },
      ])
    else work.push([workKey(EXPORT, key), afterStart(entry, known, outcome, { now, policy: RETRY })])
  }
  return { work: Object.fromEntries(work) }
}
