/** A snapshot's step in the job of its instance. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { Step } from '../../relay/steps.ts'
import type { GroupAction, SnapshotAction } from './action.ts'

/**
 * A daemon killed during a create leaves a partial snapshot that looks complete, so one with an unknown
 * outcome is removed first.
 */
export const takeSteps = ({ ref, name, stateful, expiresAt, again, as }: SnapshotAction): Step[] => [
  { do: 'take', ref, snapshot: name, stateful, expiresAt, ...(again ? { again } : {}) },
  ...(as === undefined ? [] : namingSteps(ref, name, as)),
]

/** Only what is whole gets the name, and what had it stays under another one: at no moment is there neither. */
const namingSteps = (
  ref: InstanceRef,
  snapshot: string,
  { name, aside }: NonNullable<SnapshotAction['as']>,
): Step[] => [
  ...(aside === null
    ? []
    : [{ do: 'rename', ref, snapshot: name, to: aside.name, createdAt: aside.createdAt } as const]),
  { do: 'rename', ref, snapshot, to: name, createdAt: null },
]

export const takeGroupSteps = ({ name, parts, pause, hook }: GroupAction): Step[] => [
  {
    do: 'take-group',
    snapshot: name,
    members: parts.map(({ ref, expiresAt, again }) => ({ ref, expiresAt, ...(again ? { again } : {}) })),
    pause,
    ...(hook === undefined ? {} : { hook }),
  },
]
