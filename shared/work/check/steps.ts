/** The job of a check. */
import { subjectKey } from '../../incus/subject.ts'
import { familyOf } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { CheckAction } from './action.ts'
import { checkKey } from './entry.ts'

export function checkJob(action: CheckAction): PlannedJob {
  const { ref, store, name } = action
  const family = familyOf(checkKey(subjectKey(ref), store))
  return {
    job: {
      ...{ id: action.job, family, lock: family, detach: true },
      steps: [{ do: 'check-export', ref, store, name }],
    },
    parts: [action],
  }
}

/** `at`: when it was requested (ISO 8601). */
export const jobOf = ({ key, store }: { key: string; store: string }, at: string, attempts: number): string =>
  `${familyOf(checkKey(key, store))}:${at.replace(/[-:]|\.\d+/g, '')}#${attempts}`
