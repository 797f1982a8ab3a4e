/** Records checks in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { recordRefused } from '../refused.ts'
import type { CheckAction } from './action.ts'
import { CHECK, checkKey } from './entry.ts'
import { RETRY } from './tries.ts'

export const recordChecks = (before: Ledger, result: RunResult): Recorded => ({
  work: recordRefused(before, result, {
    action: CHECK,
    keyOf: (action) => keyOf(action as CheckAction),
    policy: RETRY,
  }),
})

const keyOf = ({ ref, store }: CheckAction): string => checkKey(subjectKey(ref), store)
