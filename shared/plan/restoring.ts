/** What a restore in place does to the newer snapshots of an instance, by the driver of its pool. */

/** These restore any snapshot and keep the newer ones; lvm in a thin pool only. */
const ANY_SNAPSHOT = ['btrfs', 'dir', 'lvm', 'ceph']
/** These restore the newest one alone: the safety snapshot, which is newer, would be lost. */
const NEWEST_ONLY = ['zfs', 'linstor', 'truenas']

/** Which snapshots can be restored there; null: that isn't known. `isThick`: lvm without a thin pool. */
export function restoresOn(driver: string, isThick: boolean): 'any' | 'newest' | 'none' | null {
  if (isThick) return 'none'
  if (ANY_SNAPSHOT.includes(driver)) return 'any'
  return NEWEST_ONLY.includes(driver) ? 'newest' : null
}
