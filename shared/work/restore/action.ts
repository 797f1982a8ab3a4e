/** What restoring in place may do to an instance. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'

/** An instance is restored to a snapshot: begun as a detached job, its end is seen by later ticks. */
export type RestoreAction = {
  kind: 'restore'
  ref: InstanceRef
  snapshot: string
  /** The state before, taken first; once it is known to be whole, it is the same one on every further try. */
  safety: { name: string; expiresAt: string | null; taken: boolean }
  /** How the instance stands still while that is taken, in words; null: it doesn't. */
  standstill: string | null
  /** What an earlier try has left of a safety snapshot, perhaps partial: it goes first. */
  partial: string | null
  /** An earlier try has restored it already: only the marks are left. */
  restored: boolean
  /** Whether the instance has to run afterwards. */
  running: boolean
  /** With the memory that the snapshot holds: the VM goes on from there, whether it ran before or not. */
  stateful: boolean
  /** Marks on the instance now, by key: the snapshot's config replaces the instance's, so they are set again. */
  holds: Record<string, string>
  /** Snapshots of ours that are held: Incus's own expiry is lifted from them first, for nobody does it meanwhile. */
  held: string[]
  /**
   * Incus's own expiry of the snapshot from now on, lest Incus remove it while it is restored: that ends in
   * a success without its data (tried on 6.0.4). Null: it has none, or it isn't known.
   */
  expiresAt: string | null
  job: string
  reason: string
}

/** It ran before its restore, and doesn't yet. */
export type StartAction = { kind: 'start'; ref: InstanceRef; reason: string }

/** Incus refused a restore before it changed anything: the mark goes, and what Incus stopped for it runs again. */
export type UndoAction = {
  kind: 'undo'
  ref: InstanceRef
  /** Safety snapshots that are whole. */
  safeties: string[]
  start: boolean
  reason: string
}

/** `stateful`: with the memory that the snapshot holds. */
export type RestoreRequest = AnyRequest & { do: 'restore'; stateful?: boolean } & OneSnapshot
