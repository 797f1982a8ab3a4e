/** What a refresh does to the target's snapshots: it makes them a mirror of the source's, by name and second. */

type Dated = { name: string; second: number }

type Mirror<T> = { remove: T[]; send: T[]; base: T | null }

const same = (a: Dated | undefined, b: Dated): boolean => a !== undefined && a.second === b.second

/**
 * Everything on the target that the source doesn't have goes, first and for good. `excludeOlder` leaves
 * source snapshots (oldest first) away that are older than the newest common one; it doesn't stop deletions.
 */
export function mirror<T extends Dated>(
  source: readonly T[],
  target: ReadonlyMap<string, T>,
  excludeOlder: boolean,
): Mirror<T> {
  const offered = new Map(source.map((snapshot) => [snapshot.name, snapshot]))
  const remove = [...target.values()].filter((snapshot) => !same(offered.get(snapshot.name), snapshot))
  const common = source.filter((snapshot) => same(target.get(snapshot.name), snapshot))
  const base = common.at(-1) ?? null
  // By the second, so that what was taken in the very second of the newest common one stays away too.
  const isOlder = (snapshot: T): boolean => base !== null && snapshot.second <= base.second
  const send = source
    .filter((snapshot) => !same(target.get(snapshot.name), snapshot))
    .filter((snapshot) => !excludeOlder || !isOlder(snapshot))
  return { remove, send, base }
}
