/** The actions of holding or releasing a snapshot, with its expiry. */
import type { InstanceRef } from '../../incus/subject.ts'

/** Lifts the expiry of a held snapshot, so that Incus doesn't remove it; or postpones it while a copy needs it. */
export type HoldAction = {
  kind: 'hold'
  ref: InstanceRef
  policy: string
  snapshot: string
  /** ISO 8601; null: never. */
  expiresAt: string | null
  reason: string
}

/** Sets a hold, which also lifts the expiry; or releases it, which sets that again. */
export type MarkAction = {
  kind: 'mark'
  ref: InstanceRef
  snapshot: string
  /** Why it is held; null: released. */
  note: string | null
  /** The new expiry (ISO 8601; null: never). */
  expiresAt: string | null
  /** Somebody had removed it, in a way that can be undone: that is taken back. */
  going?: true
  reason: string
}
