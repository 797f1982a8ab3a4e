/** Snapshots of a copy that Incus must not expire by itself: if the source is gone, no others are left. */

import type { SnapshotPair } from '../../incus/inventory.ts'
import { newestPair } from '../../incus/pairs.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import type { Sorter } from '../../retention/sorter.ts'
import { isOnRequest, type Replica } from './replica.ts'

/**
 * The newest verified one, that of each policy, what the policy's `copy.keep` still wants, and what is held.
 * `verified`: all that is verified on the copy.
 */
export function lastingOf(replica: Replica, verified: readonly SnapshotPair[], sorter: Sorter): Set<string> {
  const { source, wanting } = replica
  // One on request ends when it was meant to, as long as there is another.
  const newest = newestPair(verified.filter(([name]) => !isOnRequest(replica, name))) ?? newestPair(verified)
  const lasting = new Set(newest === null ? [] : [newest[0]])
  for (const [name] of verified) if (source.held.has(name)) lasting.add(name)
  for (const { covered, copy } of wanting) {
    const { policy } = covered
    const own = newestPair(verified.filter((pair) => ownSnapshot(pair)?.policy === policy.name))
    if (own !== null) lasting.add(own[0])
    for (const name of keptBy({ covered, copy }, verified, sorter)) lasting.add(name)
  }
  return lasting
}

/** What the policies' `copy.keep` wants of these snapshots, without what a refresh may remove (`copy.mirror`). */
export const wantedOn = (
  { wanting }: Replica,
  snapshots: readonly SnapshotPair[],
  sorter: Sorter,
): Set<string> =>
  new Set(wanting.filter(({ copy }) => copy.mirror !== true).flatMap((one) => keptBy(one, snapshots, sorter)))

/** Without rules nothing is wanted in particular. */
const keptBy = (
  { covered: { policy, held }, copy }: Replica['wanting'][number],
  snapshots: readonly SnapshotPair[],
  sorter: Sorter,
): string[] =>
  Object.keys(copy.keep).length === 0
    ? []
    : sorter.sort(policy, copy.keep, snapshots, held, null).keep.map(({ name }) => name)
