/** What is there when a transfer is considered. */
import type { InstanceRecord, SnapshotPair } from '../incus/inventory.ts'
import type { CopyLedger } from '../ledger/ledger.ts'
import type { Sorter } from './expire.ts'
import { knownVerified } from './marks.ts'
import type { Installation } from './owner.ts'
import type { Replica, Seen } from './replica.ts'
import { isLeftover, type Transfer, unfinishedOn } from './transfer.ts'
import type { World } from './world.ts'

export type Starting = {
  now: Date
  ledger: CopyLedger | undefined
  /** Verified, and listed on the target. */
  verified: readonly SnapshotPair[]
  /** Identity of the source's server. */
  server: string
  /** Snapshots still being made don't travel yet. */
  incomplete: ReadonlySet<string>
  installation: Installation
  sorter: Sorter
  /** Tells the storage drivers of both pools. */
  world: Pick<World, 'remotes'>
}

export type Scene = {
  replica: Replica
  target: InstanceRecord | null
  /** Of the source, complete ones only. */
  snapshots: readonly SnapshotPair[]
  /** Verified, and listed on the target. */
  verified: readonly SnapshotPair[]
  /** The last transfer onto the target, which was never verified; null: there is none. */
  unfinished: Transfer | null
  starting: Starting
}

export function sceneOf(replica: Replica, seen: Seen, starting: Starting): Scene {
  const snapshots = (replica.source.record.snapshots ?? []).filter(
    ([name]) => !starting.incomplete.has(`${replica.source.key}/${name}`),
  )
  const target = seen.state === 'there' ? seen.record : null
  const verified = target === null ? [] : starting.verified
  const unfinished = target === null ? null : unfinishedOn(target)
  return { replica, target, snapshots, verified, unfinished, starting }
}

/**
 * A first copy that was never verified is deleted and started over; that it never was is proven by the mark
 * of its own transfer, which goes with the first verification.
 */
export const isUnfinishedFirst = ({ replica, target, unfinished, starting }: Scene): boolean =>
  target !== null &&
  unfinished?.from === 0 &&
  unfinished.names.length === 0 &&
  knownVerified(target, starting.ledger).length === 0 &&
  (target.snapshots ?? []).every((pair) => isLeftover(unfinished, pair, replica.source.record.snapshots))
