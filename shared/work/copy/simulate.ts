/** Copies in a simulation: a transfer that takes less than a minute, its verification, and what exists on them. */
import { expiresAt } from '../../incus/expiry.ts'
import { staysUntil } from '../../incus/min-retention.ts'
import { commonPairs } from '../../incus/pairs.ts'
import { compareAge, ownSnapshot } from '../../incus/snapshot-name.ts'
import type { PlanContext } from '../../plan/context.ts'
import { COPYING, OWNER, REPLICA_UUID, VERIFIED } from '../../policy/marks.ts'
import type { IdealIncus } from '../../simulate/ideal-incus.ts'
import type { Simulated, SnapshotEnd } from '../kind.ts'
import type { CopyAction, VerifyAction } from './action.ts'
import { compareSides } from './compare.ts'
import { copyIn } from './entry.ts'
import { lastingOf } from './lasting.ts'
import { markedOn, renderVerified, replicaMarks } from './marks.ts'
import { memoOf } from './memo.ts'
import { isOnRequest, leastOn, type Replica, replicasOf, restingOf } from './replica.ts'
import { renderTransfer, restOf } from './transfer.ts'

export function simulateCopy(action: CopyAction, incus: IdealIncus, now: Date): Simulated {
  const { source, target, transfer, owner, verified, sourceServer, lasting } = action
  const uuid = incus.find(source)?.identity?.uuid
  incus.receive({
    ...action,
    from: transfer.from,
    names: transfer.names,
    config: {
      ...replicaMarks(source, sourceServer),
      ...(uuid === undefined ? {} : { [REPLICA_UUID]: uuid }),
      [COPYING]: renderTransfer(transfer),
      [OWNER]: owner,
      [VERIFIED]: renderVerified(verified),
    },
  })
  for (const name of lasting) incus.end(target, name, null)
  incus.report({ id: action.job, state: 'done', memo: memoOf(action), since: now.toISOString() })
  return 'done'
}

export function simulateVerify(action: VerifyAction, incus: IdealIncus): Simulated {
  const { source, target, marks, rest, owner, expiries, restore, expire } = action
  const left = restOf(rest)
  const copy = incus.find(target)
  // What was verified stays marked, as the relay does it: it may refuse to remove some.
  const verified = commonPairs(copy?.snapshots ?? [], [
    ...(copy === undefined ? [] : markedOn(copy)),
    ...marks,
  ])
  incus.mark(target, {
    [VERIFIED]: renderVerified(verified),
    [COPYING]: left === null ? '' : renderTransfer(left),
    [OWNER]: owner,
  })
  for (const { snapshot, expiresAt: end } of expiries) incus.end(target, snapshot, end)
  for (const { snapshot } of restore) incus.restore(source, snapshot)
  for (const { ref, snapshot, reason } of expire) incus.remove(ref, snapshot, reason)
  return 'done'
}

/**
 * Of what exists on copies, and of what its source keeps longer for them. What lasts has no expiry, and the others got theirs when the next one was verified, as
 * far as anything shows it.
 */
export function copyEnds(context: PlanContext): SnapshotEnd[] {
  const covered = context.coverages.flatMap((coverage) => coverage.covered)
  return [...replicasOf(covered), ...restingOf(covered)].flatMap((replica) => endsOf(replica, context))
}

function endsOf(replica: Replica, context: PlanContext): SnapshotEnd[] {
  const { world, ledger, sorter } = context
  const { source, target } = replica
  const known = copyIn(ledger, replica.key)
  const { verified } = compareSides(replica, context)
  const lasting = lastingOf(replica, verified, sorter)
  const expiry = replica.wanting[0]?.copy.expiry ?? null
  const least = leastOn(replica, world, known)
  const byAge = verified.toSorted(compareAge)
  const onCopy = byAge.flatMap((pair, index): SnapshotEnd[] => {
    const [snapshot, createdAt] = pair
    if (ownSnapshot(pair) === null || isOnRequest(replica, snapshot)) return []
    if (lasting.has(snapshot) || expiry === null || least === null)
      return [{ ref: target, snapshot, end: null }]
    const since = new Date((byAge[index + 1]?.[1] ?? createdAt) * 1000)
    const end = Math.max(expiresAt(expiry, since).getTime(), staysUntil(pair, least)?.getTime() ?? 0)
    return [{ ref: target, snapshot, end: new Date(end).toISOString() }]
  })
  const putOff = known?.putOff
  return putOff === undefined
    ? onCopy
    : [...onCopy, { ref: source.ref, snapshot: putOff.snapshot, end: putOff.until, postponed: true }]
}
