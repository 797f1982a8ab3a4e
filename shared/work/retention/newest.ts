/** The snapshots of an instance that stay whatever somebody removes. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { newestPair } from '../../incus/pairs.ts'
import { isManual, ownSnapshot } from '../../incus/snapshot-name.ts'
import { isSafety } from '../../plan/safety.ts'

export const NEWEST = 'it is the newest snapshot of the instance'
const NEWEST_TAKEN = 'it is the newest that a policy took'

/** Each with the reason. Also the newest that doesn't go by an expiry of its own. `complete`: those that are whole. */
export function newestOf(complete: readonly SnapshotPair[]): Map<string, string> {
  const newest = newestPair(complete)
  const taken = newestPair(complete.filter(isScheduled))
  return new Map([
    ...(taken === null ? [] : [[taken[0], NEWEST_TAKEN] as const]),
    ...(newest === null ? [] : [[newest[0], NEWEST] as const]),
  ])
}

const isScheduled = (pair: SnapshotPair): boolean =>
  ownSnapshot(pair) !== null && !isSafety(pair[0]) && !isManual(pair[0])
