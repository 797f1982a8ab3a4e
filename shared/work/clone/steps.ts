/** The job of a new instance, whose end later ticks see: by its report, or by the mark on it. */
import { subjectKey } from '../../incus/subject.ts'
import { familyOf, workKey } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { Cloning, Step } from '../../relay/steps.ts'
import type { CloneAction, FinishAction, RemoveAction } from './action.ts'
import { CLONE } from './entry.ts'

const cloningOf = ({ from, snapshot, to, whole, start, pool, transferMode }: CloneAction): Cloning => ({
  ...{ from, snapshot, to, whole, start, pool, transferMode },
})

/** It shares the lock of copies of the original: one of both at a time. */
export const cloneJob = (action: CloneAction): PlannedJob => ({
  job: {
    id: action.job,
    family: familyOf(workKey(CLONE, subjectKey(action.to))),
    lock: action.of,
    detach: true,
    steps: [{ do: 'clone', ...cloningOf(action) }],
  },
  parts: [action],
})

/** Id of the job that makes it, after so many failed tries. */
export const jobOf = (instance: string, began: string, attempts: number): string =>
  `${familyOf(workKey(CLONE, instance))}:${Date.parse(began)}#${attempts}`

export const finishSteps = ({ ref, start }: FinishAction): Step[] => [{ do: 'finish-clone', ref, start }]
export const removeSteps = ({ ref }: RemoveAction): Step[] => [{ do: 'remove-clone', ref }]
