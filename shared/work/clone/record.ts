/** Records new instances in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { recordRefused } from '../refused.ts'
import type { CloneAction } from './action.ts'
import { CLONE } from './entry.ts'
import { RETRY } from './tries.ts'

export const recordClones = (before: Ledger, result: RunResult): Recorded => ({
  work: recordRefused(before, result, {
    action: CLONE,
    keyOf: (action) => workKey(CLONE, subjectKey((action as CloneAction).to)),
    policy: RETRY,
  }),
})
