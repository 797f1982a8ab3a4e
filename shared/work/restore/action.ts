/** The actions of a restore in place. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'

/** Restores an instance or a custom volume to a snapshot, as a detached job; later ticks observe its end. */
export type RestoreAction = {
  kind: 'restore'
  ref: InstanceRef
  snapshot: string
  /** The snapshot of the state before. Once it is known to be complete, every further try uses the same one. */
  safety: { name: string; expiresAt: string | null; taken: boolean }
  /** How the instance stands still while that is taken, in words; null: it doesn't. */
  standstill: string | null
  /** The safety snapshot of an earlier try, perhaps partial: it is removed first. */
  partial: string | null
  /** An earlier try has restored it already: only the marks have to be set. */
  restored: boolean
  /** Whether the instance has to run afterwards. */
  running: boolean
  /** With the memory that the snapshot holds: the VM then runs, whether it ran before or not. */
  stateful: boolean
  /** The disk alone: its settings stay. */
  diskOnly?: true
  /** Marks on the instance now, by key: the snapshot's config replaces the instance's, so they are set again. */
  holds: Record<string, string>
  /** Our held snapshots: their expiry is lifted first, because the schedule doesn't do that during a restore. */
  held: string[]
  /**
   * The new expiry of the snapshot, so that Incus doesn't remove it during the restore: that would end in a
   * success without its data (tried on 6.0.4). Null: it has none, or it isn't known.
   */
  expiresAt: string | null
  /** Of a volume: names of the instances of its project that use it and run. They are stopped for it, and started again. */
  users: readonly string[]
  job: string
  reason: string
}

/** Starts an instance that ran before its restore. */
export type StartAction = { kind: 'start'; ref: InstanceRef; reason: string }

/** Undoes a restore that Incus refused before it changed anything: removes the mark and starts the instance again. */
export type UndoAction = {
  kind: 'undo'
  ref: InstanceRef
  /** Complete safety snapshots. */
  safeties: string[]
  start: boolean
  reason: string
}

/** `stateful`: with the memory that the snapshot holds. `diskOnly`: without its settings. */
export type RestoreRequest = AnyRequest & {
  do: 'restore'
  stateful?: boolean
  diskOnly?: boolean
} & OneSnapshot
