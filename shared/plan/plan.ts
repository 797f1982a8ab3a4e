/** What a tick intends, as data; nothing here can touch the world. Every line carries its reason. */
import type { InstanceRef, SnapshotPair } from '../incus/inventory.ts'
import type { CopyLedger, FreezeLedger, PolicyLedger, RestoreLedger, SightLedger } from '../ledger/ledger.ts'
import type { Approval } from '../policy/policy.ts'
import type { Transfer } from './transfer.ts'

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

export type ExpireAction = {
  kind: 'expire'
  ref: InstanceRef
  policy: string
  snapshot: string
  reason: string
}

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
  half: string | null
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

/** Our own work froze it and was cut off, so that nobody else thaws it. */
export type ThawAction = { kind: 'thaw'; ref: InstanceRef; reason: string }

/** The start of a transfer; its end is seen by later ticks. */
export type CopyAction = {
  kind: 'copy'
  source: InstanceRef
  target: InstanceRef
  /** `source key>destination key`. */
  key: string
  job: string
  type: 'container' | 'virtual-machine'
  transferMode: 'pull' | 'push'
  pool: string | null
  /** Cluster member, or `@group`, for a first copy; the member that holds the copy, where refreshing has to name it. */
  member: string | null
  /** No replica yet (or one that is started over). */
  first: boolean
  /** An unknown first copy: the target holds nothing verified and is deleted before. */
  startOver: boolean
  /** Target snapshots that an earlier transfer brought and nobody verified; they are removed before, lest a partial one survive. */
  unverified: string[]
  /** Marked on the target before the transfer begins. */
  transfer: Transfer
  /** Of the installation that makes it, in the form of its mark. */
  owner: string
  /** Names of the target's snapshots, as the pool's volumes list them. */
  listed: string[]
  /** What the target's mark said of the transfer before; null: that was verified. */
  unfinished: Transfer | null
  /** All that is known to be verified on the target; its mark says so before the transfer begins. */
  verified: SnapshotPair[]
  /** Of these, what must not carry an expiry on the target. */
  lasting: string[]
  /** Verified copies that the refresh will remove, because the source no longer has them. */
  mirrored: string[]
  /**
   * Source snapshots as old as the newest common one, or older, stay away. Not when one of those is
   * wanted: Incus would leave it out for ever.
   */
  excludeOlder: boolean
  /** Server identity of the source, for the target's marks. */
  sourceServer: string
  /** Incus need not freeze it; where it wouldn't anyway, it isn't asked to let errors pass. */
  inconsistent: boolean
  /** How the running instance stands still meanwhile, in words; null: it doesn't. */
  standstill: string | null
  through: number
  /**
   * Not verified by this transfer: of an earlier one and never verified, but no request can name them; or the source's
   * own may be partial.
   */
  stale: string[]
  /** Source snapshots whose expiry an earlier try put off: name to their own expires_at. */
  extended: Record<string, string>
  reason: string
}

/** A transfer ended well: what both sides list is marked as verified, the target's expiry is set, and its retention applied. */
export type VerifyAction = {
  kind: 'verify'
  source: InstanceRef
  target: InstanceRef
  key: string
  /** All verified pairs on the target from now on. */
  marks: SnapshotPair[]
  /** Came with the transfer and isn't vouched for: the next one removes it first. */
  rest: string[]
  /** What the target still wants gets no expiry, what it doesn't gets the target's (ISO 8601; null: never). */
  expiries: { snapshot: string; expiresAt: string | null }[]
  /** Source snapshots that get their own expiry back. */
  restore: { snapshot: string; expiresAt: string }[]
  /** The source is protected from deletion, so its verified copy is too. */
  protect: boolean
  /** Of the installation that verifies, in the form of its mark. */
  owner: string
  expire: ExpireAction[]
  reason: string
}

export type Action =
  | SnapshotAction
  | ExpireAction
  | HoldAction
  | MarkAction
  | RestoreAction
  | StartAction
  | ThawAction
  | UndoAction
  | CopyAction
  | VerifyAction

/** Why nothing is done at all of what somebody asked for. */
export type Refusal = {
  code:
    | 'not-found'
    | 'ambiguous'
    | 'unverified'
    | 'driver'
    | 'stateless'
    | 'busy'
    | 'not-ours'
    | 'forbidden'
    | 'unreadable'
  /** What is wrong, and what to do. */
  reason: string
}

/** Why nothing is done to something that one might expect to be touched. */
export type Note = {
  kind: 'keep' | 'skip' | 'wait' | 'foreign' | 'problem'
  /** An instance key, or what else it is about. */
  about: string
  snapshot?: string
  reason: string
}

/** One policy's slot in this run. */
export type SlotPlan = {
  policy: string
  /** Accounting as it stands before this run's outcomes. */
  ledger: PolicyLedger
  /** Instances that already have the open slot's snapshot. */
  served: string[]
  /** Instances that are waited for (jitter, a retry, a running create), with the moment to look again. */
  waiting: { instance: string; until: string }[]
  /** Instances for which no further try is made. */
  failed: { instance: string; reason: string }[]
  /** Why the slot ends without any instance. */
  empty: string | null
  /** What is told of a slot that was served other than by its own name. */
  remark: string | null
  /** The slot may be served until then (ISO 8601). */
  until: string | null
}

/** What this run learned about a replica before acting. */
export type CopyPlan = { key: string; ledger: CopyLedger }

export type Plan = {
  at: string
  actions: Action[]
  notes: Note[]
  slots: SlotPlan[]
  copies: CopyPlan[]
  /** What this run learned about restores before acting, by instance key. */
  restores: Record<string, RestoreLedger>
  /** Instances that may stay frozen by our work, by key, as known before acting. */
  frozen: Record<string, FreezeLedger>
  /** Moments at which something is due again, whatever the outcomes (ISO 8601). */
  wake: string[]
  /** What this look covered; absent while only a part is planned. */
  sight?: SightLedger
  /** Somebody asked for it: its slots are the moment's own and don't move the schedule's accounts. */
  asked: boolean
  /** Set: there are no actions. */
  refusal: Refusal | null
  /** Who must confirm a destructive plan: the strictest of the policies that cover what it touches. */
  approval: Approval
}
