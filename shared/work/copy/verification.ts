/** Verifies a completed transfer: marks, expiries on both sides, and the target's own retention. */

import { expiresAt } from '../../incus/expiry.ts'
import type { SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs } from '../../incus/pairs.ts'
import { isAddressable, ownSnapshot } from '../../incus/snapshot-name.ts'
import { type Installation, renderInstallation } from '../../plan/installation.ts'
import { expiredOf, type Sorter } from '../../retention/sorter.ts'
import type { ExpireAction } from '../retention/action.ts'
import type { VerifyAction } from './action.ts'
import type { Judgement } from './judge.ts'
import { lastingOf } from './lasting.ts'
import type { Replica, Seen } from './replica.ts'

type Completed = Extract<Judgement, { phase: 'completed' }>

/** `others`: source snapshots that the refreshes of its other copies need. */
export function verification(
  replica: Replica,
  seen: Seen,
  { marks, fresh, rest, memo, entry }: Completed,
  { now, sorter, installation }: { now: Date; sorter: Sorter; installation: Installation },
  others: readonly string[],
): VerifyAction {
  const { source, target } = replica
  const record = seen.state === 'there' ? seen.record : null
  const verified = commonPairs(record?.snapshots ?? [], marks)
  const expire = expireOnTarget(replica, verified, entry.newest, sorter)
  const gone = new Set(expire.map(({ snapshot }) => snapshot))
  return {
    kind: 'verify',
    source: source.ref,
    target,
    key: replica.key,
    job: entry.job ?? '',
    // What is removed in the same job must not be marked: a later transfer may bring it again.
    marks: marks.filter(([name]) => !gone.has(name)),
    rest: rest.filter((name) => isAddressable(name)),
    expiries: expiriesOf(replica, verified, { fresh, gone, now, sorter }),
    restore: restored(
      replica,
      memo.extended,
      entry.newest === undefined ? others : [...others, entry.newest],
    ),
    protect: source.record.protected === true && record?.protected !== true,
    owner: renderInstallation(installation),
    expire,
    reason:
      fresh.length === 0 ? 'nothing new arrived' : `${fresh.length} listed on both sides with equal dates`,
  }
}

type Expiring = { fresh: readonly string[]; gone: ReadonlySet<string>; now: Date; sorter: Sorter }

/**
 * Only for our own snapshots. Those that the target still wants never expire, because the source may be gone by
 * then. Others get the target's expiry.
 */
function expiriesOf(
  replica: Replica,
  verified: readonly SnapshotPair[],
  { fresh, gone, now, sorter }: Expiring,
): VerifyAction['expiries'] {
  const expiry = replica.wanting[0]?.copy.expiry ?? null
  const until = expiry === null ? null : expiresAt(expiry, now).toISOString()
  const lasting = lastingOf(replica, verified, sorter)
  const before = lastingOf(
    replica,
    verified.filter(([name]) => !fresh.includes(name)),
    sorter,
  )
  const held = replica.source.held
  return verified.flatMap((pair) => {
    const [name] = pair
    const changes = fresh.includes(name) || held.has(name) || lasting.has(name) !== before.has(name)
    if (!changes || gone.has(name) || ownSnapshot(pair) === null) return []
    return [{ snapshot: name, expiresAt: lasting.has(name) ? null : until }]
  })
}

/**
 * Source snapshots whose expiry was postponed get their own again, except those that a refresh needs: see
 * put-off.ts.
 */
function restored(
  { source }: Replica,
  extended: Record<string, string>,
  needed: readonly string[],
): VerifyAction['restore'] {
  const listed = new Set((source.record.snapshots ?? []).map(([name]) => name))
  return Object.entries(extended).flatMap(([snapshot, expiresAt]) =>
    listed.has(snapshot) &&
    !source.held.has(snapshot) &&
    !needed.includes(snapshot) &&
    isAddressable(snapshot)
      ? [{ snapshot, expiresAt }]
      : [],
  )
}

/** Only verified snapshots count on the target, and only those are removed. */
function expireOnTarget(
  { wanting, target }: Replica,
  verified: readonly SnapshotPair[],
  newest: string | undefined,
  sorter: Sorter,
): ExpireAction[] {
  const needed = new Map(newest === undefined ? [] : [[newest, 'newest snapshot common with the source']])
  return wanting.flatMap(({ covered, copy }) => {
    const retention = sorter.sort(covered.policy, copy.keep, verified, covered.held, null)
    return expiredOf(retention, needed).map(
      ({ snapshot, reason }): ExpireAction => ({
        kind: 'expire',
        ref: target,
        policy: covered.policy.name,
        snapshot,
        reason,
      }),
    )
  })
}
