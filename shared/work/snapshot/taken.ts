/** Which of an instance's snapshots serve a slot: the one that has its name, or one that was taken late. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { isTimely, ownSnapshot, snapshotName } from '../../incus/snapshot-name.ts'
import type { OpenSlot } from '../../ledger/ledger.ts'

type Served = Pick<OpenSlot, 'slot' | 'first'>

const NOTHING: ReadonlySet<string> = new Set()

/** The first name that counts: names of one policy sort by their moments. A first snapshot is wanted only where there is none. */
export const firstName = (policy: string, { slot, first }: Served): string =>
  first === true ? `${policy}-` : snapshotName({ policy, slot: new Date(slot) })

/** Names of a policy's own snapshots since the slot (and before `until`, ISO 8601), without those that may be partial. */
export function takenFor(
  policy: string,
  served: Served,
  snapshots: readonly SnapshotPair[],
  {
    key = '',
    partial = NOTHING,
    until,
  }: { key?: string; partial?: ReadonlySet<string>; until?: string } = {},
): string[] {
  const from = firstName(policy, served)
  const end = until === undefined ? null : snapshotName({ policy, slot: new Date(until) })
  const prefix = `${policy}-`
  const slot = served.first === true ? null : new Date(served.slot)
  return snapshots.flatMap((pair) => {
    const [name, createdAt] = pair
    // What was made before the slot can't serve it; this spares reading most names.
    if (slot !== null && !isTimely({ policy, slot }, createdAt)) return []
    if (name < from || (end !== null && name >= end) || !name.startsWith(prefix)) return []
    return ownSnapshot(pair)?.policy === policy && !partial.has(`${key}/${name}`) ? [name] : []
  })
}
