/** A job of its own: the one that it cancels holds the lock. */
import type { PlannedJob } from '../../plan/jobs.ts'
import type { CancelAction } from './action.ts'

export const cancelJob = (action: CancelAction): PlannedJob => ({
  job: { id: `cancel ${action.job}`, steps: [{ do: 'cancel', ref: action.ref, job: action.job }] },
  parts: [action],
})
