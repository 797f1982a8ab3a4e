/** Records checks in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { recordRefused } from '../refused.ts'
import type { CheckAction } from './action.ts'
import { CHECK } from './entry.ts'
import { RETRY } from './tries.ts'

export const recordChecks = (before: Ledger, result: RunResult): Recorded => ({
  work: recordRefused(before, result, {
    action: CHECK,
    keyOf: (action) => workKey(CHECK, subjectKey((action as CheckAction).ref)),
    policy: RETRY,
  }),
})
