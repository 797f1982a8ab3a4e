/** Steps of holds in the job of their instance. */
import type { Step } from '../../relay/steps.ts'
import type { HoldAction, MarkAction } from './action.ts'

export const holdSteps = ({ ref, snapshot, expiresAt }: HoldAction): Step[] => [
  expiresAt === null
    ? { do: 'set-expiry', ref, snapshot, expiresAt }
    : { do: 'postpone', ref, snapshot, expiresAt },
]

/** The end that keeps it is set before the mark of its removal goes. */
export const markSteps = ({ ref, snapshot, note, expiresAt, going }: MarkAction): Step[] => [
  { do: 'hold', ref, snapshot, note },
  { do: 'set-expiry', ref, snapshot, expiresAt },
  ...(going === true ? [{ do: 'undo', ref, snapshot } as const] : []),
]
