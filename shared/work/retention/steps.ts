/** The steps of a removal, or of its undoing, in the job of its instance. */
import type { Step } from '../../relay/steps.ts'
import type { ExpireAction, ProlongAction, UndoAction } from './action.ts'

export const expireSteps = ({ ref, snapshot, end }: ExpireAction): Step[] => [
  end === undefined ? { do: 'expire', ref, snapshot } : { do: 'expire-later', ref, snapshot, expiresAt: end },
]

export const undoSteps = ({ ref, snapshot }: UndoAction): Step[] => [{ do: 'undo', ref, snapshot }]

export const prolongSteps = ({ ref, snapshot, end }: ProlongAction): Step[] => [
  { do: 'prolong', ref, snapshot, expiresAt: end },
]
