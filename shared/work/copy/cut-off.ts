/** Removals of a copy's snapshots that were cut off, because Incus's server was killed. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { isIn, newestPair } from '../../incus/pairs.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { isVerified, type Transfer } from './transfer.ts'

/** `verified`: all that is known to be verified on the copy. `snapshots`: those of the source. */
type Known = {
  verified: readonly SnapshotPair[]
  unfinished: Transfer | null
  snapshots: readonly SnapshotPair[]
}

/**
 * Whether a removal of this snapshot was cut off: Incus removes its data, then its volume, then its record.
 * Only if the source has the newest verified snapshot of a policy, so that it wasn't rolled back. It was
 * removed either by the refresh in progress, as the source no longer has it; or by the copy's own `keep`, and
 * the source still has it.
 */
export function isCutOff(pair: SnapshotPair, { verified, unfinished, snapshots }: Known): boolean {
  const newest = newestPair(verified.filter((one) => ownSnapshot(one) !== null))
  if (newest === null || !isIn(snapshots, newest) || pair[1] > newest[1]) return false
  if (!isIn(verified, pair)) return ownSnapshot(pair) !== null && isIn(snapshots, pair)
  if (unfinished === null || isVerified(unfinished) || pair[1] > unfinished.from) return false
  return !snapshots.some(([name]) => name === pair[0])
}
