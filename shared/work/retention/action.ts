/** The actions of removing a snapshot, and of taking that back. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyAction } from '../../plan/plan.ts'

export type ExpireAction = {
  kind: 'expire'
  ref: InstanceRef
  policy: string
  snapshot: string
  /** Incus removes it then (ISO 8601), and until then that can be undone; absent: at once. */
  end?: string
  reason: string
}

/** Whether it removes a snapshot, at once or later. */
export const isExpire = (action: AnyAction): action is ExpireAction => action.kind === 'expire'

/** Incus removes it then at the earliest (ISO 8601); null: it doesn't. */
export type ProlongAction = {
  kind: 'prolong'
  ref: InstanceRef
  snapshot: string
  end: string | null
  reason: string
}

export type UndoAction = { kind: 'unexpire'; ref: InstanceRef; snapshot: string; reason: string }
