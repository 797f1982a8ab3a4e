/** The job of a restore in place, whose end later ticks see: by its report, or by the marks it leaves. */

import { subjectKey } from '../../incus/subject.ts'
import { familyOf, workKey } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { Step } from '../../relay/steps.ts'
import type { RestoreAction, StartAction, UndoAction } from './action.ts'
import { RESTORE } from './entry.ts'

/** What makes up for a lost ledger. */
export type RestoreMemo = Pick<RestoreAction, 'snapshot' | 'running' | 'stateful' | 'diskOnly' | 'holds'> & {
  safety: string
  users?: readonly string[]
}

/** It shares the lock of copies, and nothing else is done to the instance while it lives. */
export function restoreJob(action: RestoreAction): PlannedJob {
  const { ref, snapshot, safety, partial, restored, running, stateful, holds, held, expiresAt, users } =
    action
  const disk = action.diskOnly === undefined ? {} : { diskOnly: action.diskOnly }
  const key = subjectKey(ref)
  const stopped = users.length === 0 ? {} : { users }
  const memo: RestoreMemo = { snapshot, safety: safety.name, running, stateful, ...disk, holds, ...stopped }
  const step: Step = {
    do: 'restore',
    ...{
      ref,
      snapshot,
      safety,
      partial,
      restored,
      running,
      stateful,
      holds,
      held,
      expiresAt,
      ...disk,
      ...stopped,
    },
  }
  return {
    job: {
      id: action.job,
      family: familyOf(workKey(RESTORE, key)),
      lock: key,
      detach: true,
      memo,
      steps: [step],
    },
    parts: [action],
  }
}

/** Id of the job that restores it, with that safety snapshot and after so many failed tries. */
export const jobOf = (instance: string, safety: string, attempts: number): string =>
  `${familyOf(workKey(RESTORE, instance))}:${safety}#${attempts}`

export const startSteps = ({ ref }: StartAction): Step[] => [{ do: 'start', ref }]

/** Removes the mark, and starts the instance if Incus stopped it for the restore. */
export const undoSteps = ({ ref, safeties, start }: UndoAction): Step[] => [
  { do: 'end-restore', ref, safeties },
  ...(start ? [{ do: 'start', ref } as const] : []),
]
