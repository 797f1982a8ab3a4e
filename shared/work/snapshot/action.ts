/** The action of taking a snapshot. */

import type { InstanceRef } from '../../incus/subject.ts'
import type { GroupHook } from '../../relay/steps.ts'

/** `createdAt`: in seconds since the epoch. */
type Aside = { name: string; createdAt: number }

/**
 * Snapshots of an instance and its volumes, under one name, of one moment. Each of them is one of `parts`; the first is an
 * instance's.
 */
export type GroupAction = {
  kind: 'snapshot-group'
  policy: string
  name: string
  parts: SnapshotAction[]
  /** Seconds that what runs of it may stand still, or be kept ready by the hook. */
  pause: number
  hook?: GroupHook
  reason: string
}

export type SnapshotAction = {
  kind: 'snapshot'
  ref: InstanceRef
  policy: string
  /** ISO 8601. */
  slot: string
  name: string
  stateful: boolean
  /** If it can't be had with its memory, it is taken without. */
  possible?: true
  /** ISO 8601; null: never. */
  expiresAt: string | null
  /** An earlier try had an unknown outcome: its snapshot, if any, is removed first. */
  again: boolean
  /** On request: the name that it gets once it is whole, and that which another one gets that is called so. */
  as?: { name: string; aside: Aside | null }
  /** How the running instance stands still meanwhile, in words; null: it doesn't. */
  standstill: string | null
  reason: string
}

export const snapshotsIn = (actions: readonly (SnapshotAction | GroupAction)[]): SnapshotAction[] =>
  actions.flatMap((action) => (action.kind === 'snapshot' ? [action] : action.parts))
