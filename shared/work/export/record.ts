/** Records exports in the ledger after a run. */
import { subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Recorded, RunResult } from '../kind.ts'
import { recordRefused } from '../refused.ts'
import type { ExportAction } from './action.ts'
import { EXPORT, exportKey } from './entry.ts'
import { RETRY } from './tries.ts'

export const recordExports = (before: Ledger, result: RunResult): Recorded => ({
  work: recordRefused(before, result, {
    action: EXPORT,
    keyOf: (action) => keyOf(action as ExportAction),
    policy: RETRY,
  }),
})

const keyOf = ({ ref, store }: ExportAction): string => exportKey(subjectKey(ref), store)
