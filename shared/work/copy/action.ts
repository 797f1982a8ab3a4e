/** The actions of copies: start a transfer, or verify it. */

import type { CopyGiven } from '../../incus/given.ts'
import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import type { InstanceRef } from '../../incus/subject.ts'
import type { TransferMode } from '../../incus/transfer-mode.ts'
import type { ExpireAction } from '../retention/action.ts'
import type { Transfer } from './transfer.ts'

/** Starts a transfer; later ticks observe its end. */
export type CopyAction = {
  kind: 'copy'
  source: InstanceRef
  target: InstanceRef
  /** `source key>destination key`. */
  key: string
  job: string
  type: InstanceRecord['type']
  transferMode: TransferMode
  pool: string | null
  /** Cluster member, or `@group`, for a first copy; the member that holds the copy, where refreshing has to name it. */
  member: string | null
  /** What a new one has instead of what its source has; absent: nothing. */
  given?: CopyGiven
  /** No replica yet (or one that is started over). */
  first: boolean
  /** An unknown first copy: the target holds nothing verified and is deleted before. */
  startOver: boolean
  /** Unverified target snapshots of an earlier transfer, which may be partial; they are removed first. */
  unverified: string[]
  /** Marked on the target before the transfer begins. */
  transfer: Transfer
  /** Of the installation that makes it, in the form of its mark. */
  owner: string
  /** Names of the target's snapshots, as the pool's volumes list them. */
  listed: string[]
  /** The transfer before, by the target's mark; null: it was verified. */
  unfinished: Transfer | null
  /** All snapshots known to be verified on the target; they are marked before the transfer begins. */
  verified: SnapshotPair[]
  /** Those of them that must not have an expiry on the target. */
  lasting: string[]
  /** Verified copies that the refresh will remove, because the source no longer has them. */
  mirrored: string[]
  /**
   * Source snapshots as old as the newest common one, or older, aren't sent. False when one of those is wanted:
   * Incus would never send it.
   */
  excludeOlder: boolean
  /** Server identity of the source, for the target's marks. */
  sourceServer: string
  /**
   * Sent as `allow_inconsistent`, so that Incus doesn't freeze it; false where it wouldn't anyway, as that
   * hides errors.
   */
  inconsistent: boolean
  /** How the running instance stands still meanwhile, in words; null: it doesn't. */
  standstill: string | null
  through: number
  /**
   * Snapshots that this transfer can't verify: unverified ones of an earlier transfer that no request can
   * address, and those that may be partial on the source.
   */
  stale: string[]
  /** Source snapshots whose expiry an earlier try postponed: name to their own expires_at. */
  extended: Record<string, string>
  reason: string
}

/**
 * Somebody allowed a refresh to remove what the brake holds, and it can't begin yet. Nothing is done to Incus: the
 * ledger notes what may go.
 */
export type PermitAction = {
  kind: 'permit'
  source: InstanceRef
  target: InstanceRef
  key: string
  snapshots: SnapshotPair[]
  /** The refresh may begin then (ISO 8601); null: that isn't known. */
  until: string | null
  reason: string
}

/**
 * After a successful transfer: marks what both sides list as verified, sets the target's expiry and applies
 * its retention.
 */
export type VerifyAction = {
  kind: 'verify'
  source: InstanceRef
  target: InstanceRef
  key: string
  /** All verified pairs on the target from now on. */
  marks: SnapshotPair[]
  /** Came with the transfer and isn't verified: the next one removes it first. */
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
  /** Names of the policies that want the copy. */
  policies: string[]
  reason: string
}
