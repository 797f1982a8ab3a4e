/** Verifies a completed transfer: marks, expiries on both sides, and the target's own retention. */

import { expiresAt } from '../../incus/expiry.ts'
import type { SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs } from '../../incus/pairs.ts'
import { isAddressable, ownSnapshot } from '../../incus/snapshot-name.ts'
import type { Finding } from '../../plan/finding.ts'
import { renderInstallation } from '../../plan/installation.ts'
import { rulesOf } from '../../plan/world.ts'
import type { VerifyAction } from './action.ts'
import type { Judgement } from './judge.ts'
import type { CopyContext } from './judged.ts'
import { lastingOf } from './lasting.ts'
import { staysUntil } from './mirroring.ts'
import type { Replica, Seen } from './replica.ts'
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
  const action: VerifyAction = {
    kind: 'verify',
    source: source.ref,
    target,
    key: replica.key,
    job: entry.job ?? '',
    // What is removed in the same job must not be marked: a later transfer may bring it again.
    marks: marks.filter(([name]) => !gone.has(name)),
    rest: rest.filter((name) => isAddressable(name)),
    expiries: expiriesOf(replica, verified, { fresh, gone: new Set([...gone, ...held]), context }),
    restore: restored(
      replica,
      memo.extended,
      entry.newest === undefined ? others : [...others, entry.newest],
    ),
    protect: source.record.protected === true && record?.protected !== true,
    owner: renderInstallation(context.installation),
    expire,
    reason:
      fresh.length === 0 ? 'nothing new arrived' : `${fresh.length} listed on both sides with equal dates`,
  }
  return { action, finding }
}

/** `gone`: what goes now, or is held back by the brake. */
type Expiring = { fresh: readonly string[]; gone: ReadonlySet<string>; context: CopyContext }

/**
 * Only for our own snapshots. Those that the target still wants never expire, because the source may be gone by
 * then. Others get the target's expiry.
 */
function expiriesOf(
  replica: Replica,
  verified: readonly SnapshotPair[],
  { fresh, gone, context: { now, sorter, world } }: Expiring,
): VerifyAction['expiries'] {
  const expiry = replica.wanting[0]?.copy.expiry ?? null
  const until = expiry === null ? null : expiresAt(expiry, now)
  const least = rulesOf(world, replica.target.remote)?.minRetention ?? 0
  /** Never before the relay lets it go. */
  const endOf = (pair: SnapshotPair): string | null => {
    const stays = staysUntil(pair, least)
    return until === null ? null : new Date(Math.max(stays.getTime(), until.getTime())).toISOString()
  }
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
    return [{ snapshot: name, expiresAt: lasting.has(name) ? null : endOf(pair) }]
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
