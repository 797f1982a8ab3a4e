/** Snapshots as pairs of name and creation date, compared and found in each other's lists. */
import type { SnapshotPair } from './inventory.ts'
import { compareAge } from './snapshot-name.ts'

export const samePair = (a: SnapshotPair, b: SnapshotPair): boolean => a[0] === b[0] && a[1] === b[1]

export const isIn = (pairs: readonly SnapshotPair[], pair: SnapshotPair): boolean =>
  pairs.some((one) => samePair(one, pair))

/**
 * The pairs of `some` that also stand in `others`, by name and date to the second. Mostly both have one order; in
 * `others` a name may stand with two dates, as mark and ledger may know it.
 */
export function commonPairs(some: readonly SnapshotPair[], others: readonly SnapshotPair[]): SnapshotPair[] {
  let dates: ReadonlyMap<string, number> | null = null
  let at = 0
  return some.filter((pair) => {
    const next = others[at]
    if (next !== undefined && samePair(next, pair)) {
      at += 1
      return true
    }
    dates ??= new Map(others)
    return dates.get(pair[0]) === pair[1] || (dates.size < others.length && isIn(others, pair))
  })
}

export const newestPair = (pairs: readonly SnapshotPair[]): SnapshotPair | null =>
  pairs.reduce<SnapshotPair | null>(
    (best, pair) => (best === null || compareAge(pair, best) > 0 ? pair : best),
    null,
  )
