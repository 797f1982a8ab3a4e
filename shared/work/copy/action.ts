/** A copy is started, or verified. */

import type { SnapshotPair } from '../../incus/inventory.ts'
import type { InstanceRef } from '../../incus/subject.ts'
import type { ExpireAction } from '../retention/action.ts'
import type { Transfer } from './transfer.ts'

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
