/** Compares a source with its copy: the newest common snapshot, which the next refresh needs. */

import type { SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs, newestPair } from '../../incus/pairs.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { World } from '../../plan/world.ts'
import { copyIn } from './entry.ts'
import { parseVerified, verifiedOn } from './marks.ts'
import { isOfPolicy, type Replica, type Seen, seeTarget } from './replica.ts'

export type Compared = {
  replica: Replica
  seen: Seen
  /** Verified, and listed on the target. */
  verified: readonly SnapshotPair[]
  /** The newest of them that is on the source too. */
  common: SnapshotPair | null
  /** The newest of these that a policy took: of others the expiry isn't known. */
  ours: SnapshotPair | null
}

export function compareSides(
  replica: Replica,
  { world, ledger }: { world: World; ledger: Pick<Ledger, 'work'> },
): Compared {
  const seen = seeTarget(world, replica.target)
  const known = copyIn(ledger, replica.key)
  const verified = seen.state === 'there' ? verifiedOn(seen.record, known) : []
  const snapshots = replica.source.record.snapshots ?? []
  const shared = (): SnapshotPair[] =>
    commonPairs(snapshots, seen.state === 'unknown' ? parseVerified(known?.verified) : verified)
  // By the last observation, where the target can't be read.
  const common =
    seen.state === 'unknown'
      ? (snapshots.find(([name]) => name === known?.newest) ?? null)
      : newestPair(shared())
  return { replica, seen, verified, common, ours: oursOf(replica, common, shared) }
}

/** Mostly the newest of all; then no other name has to be parsed. */
const oursOf = (
  replica: Replica,
  common: SnapshotPair | null,
  shared: () => SnapshotPair[],
): SnapshotPair | null =>
  common !== null && isOfPolicy(replica, common)
    ? common
    : newestPair(shared().filter((pair) => isOfPolicy(replica, pair)))
