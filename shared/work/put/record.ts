/** Records files that are restored in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { recordRefused } from '../refused.ts'
import type { PutAction } from './action.ts'
import { PUT } from './entry.ts'
import { RETRY } from './tries.ts'

export const recordPuts = (before: Ledger, result: RunResult): Recorded => ({
  work: recordRefused(before, result, {
    action: PUT,
    keyOf: (action) => workKey(PUT, subjectKey((action as PutAction).ref)),
    policy: RETRY,
  }),
})
