/** Records exports in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { recordRefused } from '../refused.ts'
import type { ExportAction } from './action.ts'
import { EXPORT } from './entry.ts'
import { RETRY } from './tries.ts'

export const recordExports = (before: Ledger, result: RunResult): Recorded => ({
  work: recordRefused(before, result, {
    action: EXPORT,
    keyOf: (action) => workKey(EXPORT, subjectKey((action as ExportAction).ref)),
    policy: RETRY,
  }),
})
