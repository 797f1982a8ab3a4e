/**
 * Postpones the expiry of the newest common snapshot on the source, which the next refresh needs. Incus might
 * expire it there while the copy lags behind, and then the copy could never be refreshed again.
 */
import { expiresAt } from '../../incus/expiry.ts'
import type { SnapshotPair } from '../../incus/inventory.ts'
import { isAddressable, MANUAL, ownSnapshot } from '../../incus/snapshot-name.ts'
import { manualExpiry } from '../../plan/manual.ts'
import type { Covered } from '../../policy/cover.ts'
import type { HoldAction } from '../hold/action.ts'
import type { CopyWork } from './entry.ts'
import type { Replica } from './replica.ts'

const DAY = 86_400_000
/** As long as a transfer is waited for, less the day in which it may have begun. */
const DAYS = 6

export const putOffUntil = (now: Date): string => new Date(now.getTime() + DAYS * DAY).toISOString()

type PutOff = { action: HoldAction; putOff: NonNullable<CopyWork['putOff']> }

/** Null where nothing need be done. `covering`: the source, by each policy that covers it. */
export function putOffExpiry(
  { source, target }: Replica,
  newest: SnapshotPair,
  known: CopyWork | undefined,
  covering: readonly Covered[],
  now: Date,
): PutOff | null {
  const [snapshot, createdAt] = newest
  if (source.held.has(snapshot) || !isAddressable(snapshot)) return null
  const noted = known?.putOff?.snapshot === snapshot ? known.putOff : null
  const name = ownSnapshot(newest)?.policy
  const covered = covering.find(({ policy }) => policy.name === name)
  const expiry = covered?.policy.expiry ?? null
  const taken = new Date(createdAt * 1000)
  const policies = covering.map(({ policy }) => policy)
  const byName = name === MANUAL && covered === undefined ? manualExpiry(policies, taken) : null
  const own = noted?.own ?? (expiry === null ? byName : expiresAt(expiry, taken).toISOString())
  const end = noted?.until ?? own
  if (own === null || end === null || new Date(end).getTime() - now.getTime() > DAY) return null
  const until = putOffUntil(now)
  const reason = `the next refresh builds on it, because ${target.remote} has none newer: Incus's own expiry is postponed`
  const action: HoldAction = {
    kind: 'hold',
    ref: source.ref,
    policy: name ?? '',
    snapshot,
    expiresAt: until,
    reason,
  }
  return { action, putOff: { snapshot, own, until } }
}
