/** Records imports in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { recordRefused } from '../refused.ts'
import type { ImportAction } from './action.ts'
import { IMPORT } from './entry.ts'
import { RETRY } from './tries.ts'

export const recordImports = (before: Ledger, result: RunResult): Recorded => ({
  work: recordRefused(before, result, {
    action: IMPORT,
    keyOf: (action) => workKey(IMPORT, subjectKey((action as ImportAction).to)),
    policy: RETRY,
  }),
})
