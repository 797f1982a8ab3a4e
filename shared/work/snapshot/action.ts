/** The action of taking a snapshot. */
import type { InstanceRef } from '../../incus/subject.ts'

export type SnapshotAction = {
  kind: 'snapshot'
  ref: InstanceRef
  policy: string
  /** ISO 8601. */
  slot: string
  name: string
  stateful: boolean
  /** ISO 8601; null: never. */
  expiresAt: string | null
  /** An earlier try had an unknown outcome: its snapshot, if any, is removed first. */
  again: boolean
  /** How the running instance stands still meanwhile, in words; null: it doesn't. */
  standstill: string | null
  reason: string
}
