/** A snapshot is taken. */
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
  /** An earlier try ended unseen: what it left, if anything, goes first. */
  again: boolean
  /** How the running instance stands still meanwhile, in words; null: it doesn't. */
  standstill: string | null
  reason: string
}
