/** Verifies a completed transfer: marks, expiries on both sides, and the target's own retention. */

import { expiresAt } from '../../incus/expiry.ts'
import type { SnapshotPair } from '../../incus/inventory.ts'
import { staysUntil } from '../../incus/min-retention.ts'
import { commonPairs, newestPair } from '../../incus/pairs.ts'
import { isAddressable, ownSnapshot } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import type { Finding } from '../../plan/finding.ts'
import { renderInstallation } from '../../plan/installation.ts'
import { atLeastADay, manualExpiry } from '../../plan/manual.ts'
import { minRetentionOf } from '../../plan/world.ts'
import type { Covered } from '../../policy/cover.ts'
import type { VerifyAction } from './action.ts'
import type { Judgement } from './judge.ts'
import type { CopyContext } from './judged.ts'
import { lastingOf } from './lasting.ts'
import { isOfPolicy, isOnRequest, type Replica, type Seen } from './replica.ts'
import { expireOnTarget } from './target-retention.ts'

type Completed = Extract<Judgement, { phase: 'completed' }>

/** `others`: source snapshots that the refreshes of its other copies need. */
export function verification(
  replica: Replica,
  seen: Seen,
  { marks, fresh, rest, memo, entry }: Completed,
  context: CopyContext,
  others: readonly string[],
): { action: VerifyAction; finding: Finding } {
  const { source, target } = replica
  const record = seen.state === 'there' ? seen.record : null
  const verified = commonPairs(record?.snapshots ?? [], marks)
  const before = verified.filter(([name]) => !fresh.includes(name))
  const { expire, held, finding } = expireOnTarget(
    replica,
    { verified, before, newest: entry.newest },
    context,
  )
  const gone = new Set(expire.map(({ snapshot }) => snapshot))
  const shared = commonPairs(source.record.snapshots ?? [], verified)
  // The newest may be somebody's own, who may remove it.
  const ours = newestPair(shared.filter((pair) => isOfPolicy(replica, pair)))
  const action: VerifyAction = {
    kind: 'verify',
    source: source.ref,
    target,
    key: replica.key,
    // What is removed in the same job must not be marked: a later transfer may bring it again.
    marks: marks.filter(([name]) => !gone.has(name)),
    // It stays marked as what the transfer brought: else neither the relay nor the next refresh could remove it.
    rest: [...rest, ...fresh.filter((name) => gone.has(name))].filter((name) => isAddressable(name)),
    expiries: expiriesOf(replica, verified, {
      fresh,
      gone: new Set([...gone, ...held]),
      extended: memo.extended,
      context,
    }),
    restore: restored(replica, memo.extended, [
      ...others,
      ...[entry.newest, ours?.[0]].filter((name) => name !== undefined),
    ]),
    protect: source.record.protected === true && record?.protected !== true,
    owner: renderInstallation(context.installation),
    expire,
    policies: replica.wanting.map(({ covered }) => covered.policy.name),
    reason:
      fresh.length === 0 ? 'nothing new arrived' : `${fresh.length} listed on both sides with equal dates`,
  }
  return { action, finding }
}

const later = (end: string, least: Date | null): string =>
  new Date(Math.max(least?.getTime() ?? 0, Date.parse(end))).toISOString()

type Expiring = {
  fresh: readonly string[]
  /** What goes now, or is held back by the brake. */
  gone: ReadonlySet<string>
  /** Expiries of source snapshots before they were postponed. */
  extended: Readonly<Record<string, string>>
  context: CopyContext
}

/**
 * Only for our own snapshots. Those that the target still wants never expire, because the source may be gone by
 * then. Others get the target's expiry, and those on request end as on the source.
 */
function expiriesOf(
  replica: Replica,
  verified: readonly SnapshotPair[],
  { fresh, gone, extended, context }: Expiring,
): VerifyAction['expiries'] {
  const { now, sorter, world } = context
  const expiry = replica.wanting[0]?.copy.expiry ?? null
  const until = expiry === null ? null : expiresAt(expiry, now)
  const least = minRetentionOf(world, replica.target.remote)
  /** Never before its minRetention is over, and while that isn't known, never. */
  const notBefore = (pair: SnapshotPair, end: string | null): string | null =>
    end === null || least === null ? null : later(end, staysUntil(pair, least))
  const endOf = (pair: SnapshotPair): string | null => notBefore(pair, until?.toISOString() ?? null)
  const lasting = lastingOf(replica, verified, sorter)
  const before = lastingOf(
    replica,
    verified.filter(([name]) => !fresh.includes(name)),
    sorter,
  )
  const held = replica.source.held
  return verified.flatMap((pair) => {
    const [name] = pair
    const isPostponed = isOnRequest(replica, name) && own(extended, name) !== undefined
    const changes =
      isPostponed || fresh.includes(name) || held.has(name) || lasting.has(name) !== before.has(name)
    if (!changes || gone.has(name) || ownSnapshot(pair) === null) return []
    if (lasting.has(name)) return [{ snapshot: name, expiresAt: null }]
    if (!isOnRequest(replica, name)) return [{ snapshot: name, expiresAt: endOf(pair) }]
    // A transfer brings the source's, which was postponed where it was near.
    const postponed = own(extended, name)
    const end =
      postponed ??
      (fresh.includes(name) ? undefined : manualEnd(context.coveringOf(replica.source.key), pair, now))
    return end === undefined ? [] : [{ snapshot: name, expiresAt: notBefore(pair, end) }]
  })
}

/** Of one that lasted until now: by the settings, and at least a day from now. */
function manualEnd(covering: readonly Covered[], [, createdAt]: SnapshotPair, now: Date): string | null {
  const policies = covering.map(({ policy }) => policy)
  const end = manualExpiry(policies, new Date(createdAt * 1000))
  return end === null ? null : atLeastADay(end, now)
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
