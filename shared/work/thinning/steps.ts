/** A job for each export that goes: one after the other of a place, also where one of them can't go. */
import { subjectKey } from '../../incus/subject.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { ExpireExportAction } from './action.ts'

export function thinningJobs(actions: readonly ExpireExportAction[]): PlannedJob[] {
  const last = new Map<string, string>()
  return actions.map((action): PlannedJob => {
    const { ref, store, name, policy, owner } = action
    const lock = `thin ${subjectKey(ref)}>${store}`
    const id = `${lock} ${name}`
    const after = last.get(lock)
    last.set(lock, id)
    return {
      job: {
        ...{ id, lock, ...(after === undefined ? {} : { after }) },
        steps: [{ do: 'expire-export', ref, store, name, policy, owner }],
      },
      parts: [action],
    }
  })
}
