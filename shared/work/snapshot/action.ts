/** The action of taking a snapshot. */
import type { InstanceRef } from '../../incus/subject.ts'

/** `createdAt`: in seconds since the epoch. */
type Aside = { name: string; createdAt: number }

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
