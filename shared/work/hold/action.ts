/** A snapshot is held or released, and Incus's own expiry follows. */
import type { InstanceRef } from '../../incus/subject.ts'

/** Incus's own expiry is lifted from a held snapshot, lest it end the hold; or put off while a copy needs it. */
export type HoldAction = {
  kind: 'hold'
  ref: InstanceRef
  policy: string
  snapshot: string
  /** ISO 8601; null: never. */
  expiresAt: string | null
  reason: string
}

/** A hold set, which also lifts Incus's own expiry; or released, which sets that again. */
export type MarkAction = {
  kind: 'mark'
  ref: InstanceRef
  snapshot: string
  /** Why it is held; null: released. */
  note: string | null
  /** Incus's own expiry from now on (ISO 8601; null: never). */
  expiresAt: string | null
  reason: string
}
