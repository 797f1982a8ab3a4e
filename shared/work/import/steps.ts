/** The job of an import. The key goes along to the relay, which has it in memory as long as the job lasts. */
import { subjectKey } from '../../incus/subject.ts'
import { familyOf, workKey } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { ImportAction } from './action.ts'
import { IMPORT } from './entry.ts'

export function importJob(action: ImportAction): PlannedJob {
  const { of, store, name, to, start, pool, given, key } = action
  const more = given === undefined ? {} : { given }
  const family = familyOf(workKey(IMPORT, subjectKey(to)))
  return {
    job: {
      ...{ id: action.job, family, lock: family, detach: true },
      steps: [{ do: 'import', of, store, name, to, start, pool, ...more, key: key?.reveal() ?? null }],
    },
    parts: [action],
  }
}

/** Id of the job that makes it, after so many failed tries. */
export const jobOf = (instance: string, began: string, attempts: number): string =>
  `${familyOf(workKey(IMPORT, instance))}:${Date.parse(began)}#${attempts}`
