/** The input of the decision whether a transfer starts. */
import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import type { Installation } from '../../plan/installation.ts'
import type { World } from '../../plan/world.ts'
import type { Sorter } from '../../retention/sorter.ts'
import type { CopyWork } from './entry.ts'
import { knownVerified } from './marks.ts'
import type { Replica, Seen } from './replica.ts'
import { isLeftover, type Transfer, unfinishedOn } from './transfer.ts'

type Starting = {
  now: Date
  entry: CopyWork | undefined
  /** Verified, and listed on the target. */
  verified: readonly SnapshotPair[]
  /** Identity of the source's server. */
  server: string
  /** Snapshots that are still being made, which aren't copied yet. */
  incomplete: ReadonlySet<string>
  installation: Installation
  sorter: Sorter
  /** A person confirmed that the refresh may remove what the brake holds. */
  allowed: boolean
  /** For the storage drivers of both pools. */
  world: Pick<World, 'remotes'>
}

export type TransferContext = {
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

export function transferContext(replica: Replica, seen: Seen, starting: Starting): TransferContext {
  const snapshots = (replica.source.record.snapshots ?? []).filter(
    ([name]) => !starting.incomplete.has(`${replica.source.key}/${name}`),
  )
  const target = seen.state === 'there' ? seen.record : null
  const verified = target === null ? [] : starting.verified
  const unfinished = target === null ? null : unfinishedOn(target)
  return { replica, target, snapshots, verified, unfinished, starting }
}

/**
 * Whether it is a first copy that was never verified, which is deleted and started over. The mark of its first
 * transfer proves it, since the first verification removes that.
 */
export const isUnfinishedFirst = ({ replica, target, unfinished, starting }: TransferContext): boolean =>
  target !== null &&
  unfinished?.from === 0 &&
  unfinished.names.length === 0 &&
  knownVerified(target, starting.entry).length === 0 &&
  (target.snapshots ?? []).every((pair) => isLeftover(unfinished, pair, replica.source.record.snapshots))
