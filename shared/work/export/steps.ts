/** The job of an export. Its end shows in the store, not in what is reported of the job. */
import { subjectKey } from '../../incus/subject.ts'
import { familyOf } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { ExportAction } from './action.ts'
import { type ExportWork, exportKey } from './entry.ts'

/** What makes up for a lost ledger. */
type ExportMemo = Pick<ExportWork, 'store' | 'snapshot' | 'name' | 'policy'> & { optimized: boolean }

/**
 * It has a lock of its own: the file is made of an instance of its own, so once that exists nothing else has to wait for
 * the export.
 */
export function exportJob(action: ExportAction): PlannedJob {
  const { ref, snapshot, store, name, optimized, owner } = action
  const family = familyOf(exportKey(subjectKey(ref), store))
  const policy = action.policy === undefined ? {} : { policy: action.policy }
  const memo: ExportMemo = { store, snapshot, name, optimized, ...policy }
  return {
    job: {
      ...{ id: action.job, family, lock: family, detach: true, memo },
      steps: [{ do: 'export', ref, snapshot, store, name, optimized, owner, ...policy }],
    },
    parts: [action],
  }
}

type At = { key: string; store: string }

export const jobOf = ({ key, store }: At, name: string, attempts: number): string =>
  `${familyOf(exportKey(key, store))}:${name}#${attempts}`
