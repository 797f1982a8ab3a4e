/** A snapshot's step in the job of its instance. */
import type { Step } from '../../relay/steps.ts'
import type { SnapshotAction } from './action.ts'

/**
 * A daemon killed during a create leaves a partial snapshot that looks complete, so one with an unknown
 * outcome is removed first.
 */
export const takeSteps = ({ ref, name, stateful, expiresAt, again }: SnapshotAction): Step[] => [
  { do: 'take', ref, snapshot: name, stateful, expiresAt, ...(again ? { again } : {}) },
]
