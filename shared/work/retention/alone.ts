/** What of one subject retention keeps, by itself and with those that it is taken together with. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { own } from '../../own.ts'
import { expiryKey } from '../../plan/brake.ts'
import { brakeExpiry, type Clocks } from '../../plan/brake-expiry.ts'
import type { Guards } from '../../plan/finding.ts'
import type { Covered } from '../../policy/cover.ts'
import { removedOn } from '../../policy/marks.ts'
import type { Retention } from '../../retention/keep.ts'
import { expiredOf, type Sorter } from '../../retention/sorter.ts'
import { stopOf } from './guards.ts'
import type { Staying } from './whole.ts'

export type Expiry = {
  guards: Guards
  sorter: Sorter
  clocks: Clocks
  /** Somebody confirmed what the brake holds back: only that is planned. */
  allowed?: true
}

const NOTHING: ReadonlyMap<string, string> = new Map()

/** What somebody removed counts for no rule, and goes when Incus removes it, so that it can be undone until then. */
export function sortOn(
  { key, policy, held }: Covered,
  snapshots: readonly SnapshotPair[],
  removed: ReadonlyMap<string, unknown>,
  serving: string | null,
  { guards: { incomplete }, sorter }: Expiry,
): { complete: readonly SnapshotPair[]; retention: Retention } {
  const complete =
    incomplete.size === 0 && removed.size === 0
      ? snapshots
      : snapshots.filter(([name]) => !incomplete.has(`${key}/${name}`) && !removed.has(name))
  return { complete, retention: sorter.sort(policy, policy.keep, complete, held, serving) }
}

export function neededOn(
  key: string,
  { guards, staying }: Expiry & { staying: Staying },
): ReadonlyMap<string, string> {
  const needed = guards.needed.get(key)
  const stays = staying.get(key)
  if (needed === undefined || stays === undefined) return needed ?? stays ?? NOTHING
  return new Map([...stays, ...needed])
}

/** Names that are gone, or would go if it were taken by itself; none, while nothing of it may. */
export function goingAlone(
  one: Covered,
  policy: string,
  serving: string | null,
  context: Expiry,
): ReadonlySet<string> {
  const { key, ref, record } = one
  const { guards, clocks, allowed } = context
  const removed = removedOn(record, clocks.now)
  if (record.snapshots === null || stopOf(one, guards) !== null) return new Set(removed.keys())
  const { complete, retention } = sortOn(one, record.snapshots, removed, serving, context)
  const going = expiredOf(retention, guards.needed.get(key) ?? NOTHING).map(({ snapshot }) => snapshot)
  const names = new Set([...retention.keep, ...retention.expire].map(({ name }) => name))
  const since = own(clocks.ledger.sight?.stalled, expiryKey(policy, key))
  const expiring = {
    ...{ ref, policy: one.policy, going, since: since === undefined ? null : Date.parse(since) },
    snapshots: complete.filter(([name]) => names.has(name)),
  }
  const isBraked = allowed !== true && brakeExpiry(expiring, clocks) !== null
  return new Set([...removed.keys(), ...(isBraked ? [] : going)])
}
