/** Snapshots of a copy that Incus must not expire by itself: if the source is gone, no others are left. */

import type { SnapshotPair } from '../../incus/inventory.ts'
import { newestPair } from '../../incus/pairs.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import type { Sorter } from '../../retention/sorter.ts'
import type { Replica } from './replica.ts'

/**
 * The newest verified one, that of each policy, what the policy's `copy.keep` still wants, and what is held.
 * `verified`: all that is verified on the copy.
 */
export function lastingOf(
  { source, wanting }: Replica,
  verified: readonly SnapshotPair[],
  sorter: Sorter,
): Set<string> {
  const newest = newestPair(verified)
  const lasting = new Set(newest === null ? [] : [newest[0]])
  for (const [name] of verified) if (source.held.has(name)) lasting.add(name)
  for (const { covered, copy } of wanting) {
    const { policy, held } = covered
    const own = newestPair(verified.filter((pair) => ownSnapshot(pair)?.policy === policy.name))
    if (own !== null) lasting.add(own[0])
    // Without rules nothing is wanted in particular.
    if (Object.keys(copy.keep).length === 0) continue
    for (const { name } of sorter.sort(policy, copy.keep, verified, held, null).keep) lasting.add(name)
  }
  return lasting
}
