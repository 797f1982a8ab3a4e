/** The actions of removing a snapshot, and of taking that back. */
import type { InstanceRef } from '../../incus/subject.ts'

export type ExpireAction = {
  kind: 'expire'
  ref: InstanceRef
  policy: string
  snapshot: string
  /** Incus removes it then (ISO 8601), and until then that can be undone; absent: at once. */
  end?: string
  reason: string
}

export type UndoAction = { kind: 'unexpire'; ref: InstanceRef; snapshot: string; reason: string }
