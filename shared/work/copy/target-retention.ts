/** The retention of a copy: only verified snapshots count there, and only those are removed. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { staysAt } from '../../incus/min-retention.ts'
import { newestPair } from '../../incus/pairs.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import { expiryKey } from '../../plan/brake.ts'
import { brakeExpiry, brakeFinding } from '../../plan/brake-expiry.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import { minRetentionOf } from '../../plan/world.ts'
import { expiredOf, type Sorter } from '../../retention/sorter.ts'
import type { ExpireAction } from '../retention/action.ts'
import { type CopyContext, isAllowed, type Judged } from './judged.ts'
import type { Replica } from './replica.ts'

type OnTarget = {
  expire: ExpireAction[]
  /** Names that the brake holds back. */
  held: string[]
  finding: Finding
}

/** `verified`: all on the copy; `before`: those that were so before the last transfer. */
type Copied = {
  verified: readonly SnapshotPair[]
  before: readonly SnapshotPair[]
  /** Newest common with the source. */
  newest: string | undefined
}

type Wanting = Replica['wanting'][number]

export function expireOnTarget(replica: Replica, copied: Copied, context: CopyContext): OnTarget {
  const all = replica.wanting.map((wanting) => expireFor(replica, wanting, copied, context))
  return {
    expire: all.flatMap(({ expire }) => expire),
    held: all.flatMap(({ held }) => held),
    finding: combine(all.map(({ finding }) => finding)),
  }
}

function expireFor(replica: Replica, wanting: Wanting, copied: Copied, context: CopyContext): OnTarget {
  const { target } = replica
  const { policy } = wanting.covered
  const going = goingOn(replica, wanting, copied, context)
  const mine = (pair: SnapshotPair): boolean => ownSnapshot(pair)?.policy === policy.name
  const last = newestPair(copied.before.filter(mine))
  const expiring = {
    ref: target,
    policy,
    snapshots: copied.verified.filter(mine),
    going: going.map(({ snapshot }) => snapshot),
    // What has come since may replace as many.
    since: last === null ? null : last[1] * 1000,
  }
  const held = brakeExpiry(expiring, context)
  if (held !== null && !isAllowed(replica, context))
    return { expire: [], held: expiring.going, finding: brakeFinding(expiring, held) }
  const expire = going.map(
    ({ snapshot, reason }): ExpireAction => ({
      kind: 'expire',
      ref: target,
      policy: policy.name,
      snapshot,
      reason,
    }),
  )
  return { expire, held: [], finding: {} }
}

function goingOn(
  { target }: Replica,
  { covered, copy }: Wanting,
  { verified, newest }: Copied,
  { world, now, sorter }: { sorter: Sorter } & Pick<CopyContext, 'world' | 'now'>,
) {
  const needed = new Map(newest === undefined ? [] : [[newest, 'newest snapshot common with the source']])
  const least = minRetentionOf(world, target.remote)
  // The relay would refuse it, or may.
  for (const pair of verified)
    if (least === null || staysAt(pair, least, now)) needed.set(pair[0], 'the relay keeps it')
  return expiredOf(sorter.sort(covered.policy, copy.keep, verified, covered.held, null), needed)
}

/** What the brake held back there at the last look, judged again: it is told as long as it is so. */
export function heldOnTarget(judged: Judged, context: CopyContext): OnTarget {
  const nothing: OnTarget = { expire: [], held: [], finding: {} }
  const { replica, seen, verified, common, judgement } = judged
  if (seen.state !== 'there' || judgement.phase === 'completed') return nothing
  const { braked } = context.ledger.sight ?? {}
  const was = replica.wanting.filter(
    ({ covered }) => own(braked, expiryKey(covered.policy.name, subjectKey(replica.target))) !== undefined,
  )
  return expireOnTarget(
    { ...replica, wanting: was },
    { verified, before: verified, newest: common?.[0] },
    context,
  )
}
