/** What a refresh does to the target's snapshots: it makes them a mirror of the source's, by name and second. */
import type { Snapshot } from './state.ts'

type Mirror = { remove: Snapshot[]; send: Snapshot[]; base: Snapshot | null }

const same = (a: Snapshot | undefined, b: Snapshot): boolean => a !== undefined && a.second === b.second

/**
 * Everything on the target that the source doesn't have goes, first and for good. `excludeOlder` leaves
 * source snapshots (oldest first) away that are older than the newest common one; it doesn't stop deletions.
 */
export function mirror(
  source: readonly Snapshot[],
  target: ReadonlyMap<string, Snapshot>,
  excludeOlder: boolean,
): Mirror {
  const offered = new Map(source.map((snapshot) => [snapshot.name, snapshot]))
  const remove = [...target.values()].filter((snapshot) => !same(offered.get(snapshot.name), snapshot))
  const common = source.filter((snapshot) => same(target.get(snapshot.name), snapshot))
  const base = common.at(-1) ?? null
  // By the second, so that what was taken in the very second of the newest common one stays away too.
  const isOlder = (snapshot: Snapshot): boolean => base !== null && snapshot.second <= base.second
  const send = source
    .filter((snapshot) => !same(target.get(snapshot.name), snapshot))
    .filter((snapshot) => !excludeOlder || !isOlder(snapshot))
  return { remove, send, base }
}
