/** Steps of holds in the job of their instance. */
import { NEVER } from '../../incus/source.ts'
import { markStep, setExpiry } from '../../plan/steps.ts'
import { HOLD } from '../../policy/marks.ts'
import type { Step } from '../../relay/protocol.ts'
import type { HoldAction, MarkAction } from './action.ts'

export const holdSteps = ({ ref, snapshot, expiresAt }: HoldAction): Step[] => [
  setExpiry(ref, snapshot, expiresAt ?? NEVER),
]

export const markSteps = ({ ref, snapshot, note, expiresAt }: MarkAction): Step[] => [
  markStep(ref, { [`${HOLD}${snapshot}`]: note ?? '' }),
  setExpiry(ref, snapshot, expiresAt ?? NEVER),
]
