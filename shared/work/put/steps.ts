/** The job of files that are restored, whose end later ticks see: by its report, or by the marks it leaves. */
import { subjectKey } from '../../incus/subject.ts'
import { familyOf, workKey } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { PutAction } from './action.ts'
import { PUT } from './entry.ts'

/** It shares the lock of copies and restores. */
export function putJob(action: PutAction): PlannedJob {
  const { ref, from, snapshot, path, safety, job } = action
  const key = subjectKey(ref)
  return {
    job: {
      ...{ id: job, family: familyOf(workKey(PUT, key)), lock: key, detach: true },
      steps: [{ do: 'put', ref, from, snapshot, path, safety }],
    },
    parts: [action],
  }
}

/** Id of the job, with that safety snapshot and after so many failed tries. */
export const jobOf = (instance: string, safety: string, attempts: number): string =>
  `${familyOf(workKey(PUT, instance))}:${safety}#${attempts}`
