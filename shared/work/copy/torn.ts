/**
 * Torn snapshots of a copy: Incus has them on record and not in the pool, because its server was killed. No
 * transfer succeeds until they are gone. Those of an unverified transfer are removed, and those whose removal
 * was cut off, because their data was removed first. The data of any other may still exist, so a person
 * decides.
 */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { isIn, newestPair } from '../../incus/pairs.ts'
import { isAddressable, ownSnapshot } from '../../incus/snapshot-name.ts'
import type { Installation } from '../../plan/installation.ts'
import type { World } from '../../plan/world.ts'
import type { ExpireAction } from '../retention/action.ts'
import type { CopyWork } from './entry.ts'
import { knownVerified } from './marks.ts'
import { refuseForeign } from './refuse-target.ts'
import { type Replica, transferOn } from './replica.ts'
import { isLeftover, isVerified, type Transfer, unfinishedOn } from './transfer.ts'

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

export function removeTorn(
  replica: Replica,
  known: CopyWork | undefined,
  { world, server, installation }: { world: World; server: string; installation: Installation },
): ExpireAction[] {
  const record = world.find(replica.target)
  if (record?.torn === undefined || transferOn(world, replica.target) !== null) return []
  if (refuseForeign(replica, record, { server, installation }) !== null) return []
  const verified = knownVerified(record, known)
  const unfinished = unfinishedOn(record)
  const snapshots = replica.source.record.snapshots ?? []
  return record.torn.flatMap((pair): ExpireAction[] => {
    const came = unfinished !== null && isLeftover(unfinished, pair, snapshots) && !isIn(verified, pair)
    const reason = came ? CAME : isCutOff(pair, { verified, unfinished, snapshots }) ? WENT : null
    if (reason === null || !isAddressable(pair[0])) return []
    const policy = replica.wanting[0]?.covered.policy.name ?? ''
    return [{ kind: 'expire', ref: replica.target, policy, snapshot: pair[0], reason }]
  })
}

const CAME = 'it came with a transfer that was never verified; Incus has a record of it, but no data'
const WENT = 'its removal was interrupted; Incus has a record of it, but no data'
