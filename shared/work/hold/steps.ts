/** Steps of holds in the job of their instance. */
import type { Step } from '../../relay/steps.ts'
import type { HoldAction, MarkAction } from './action.ts'

export const holdSteps = ({ ref, snapshot, expiresAt }: HoldAction): Step[] => [
  expiresAt === null
    ? { do: 'set-expiry', ref, snapshot, expiresAt }
    : { do: 'postpone', ref, snapshot, expiresAt },
]

export const markSteps = ({ ref, snapshot, note, expiresAt }: MarkAction): Step[] => [
  { do: 'hold', ref, snapshot, note },
  { do: 'set-expiry', ref, snapshot, expiresAt },
]
