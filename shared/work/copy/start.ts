/** Whether a replica's next transfer starts now, and what has to happen before it. */

import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs, isIn, newestPair } from '../../incus/pairs.ts'
import { isPassing } from '../../incus/refusal.ts'
import { aheadOf, isAddressable, MANUAL, ownSnapshot } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import { driverOf, type Treatment, treatmentOf } from '../../plan/freezing.ts'
import { renderInstallation } from '../../plan/installation.ts'
import { rulesOf } from '../../plan/world.ts'
import { REPLICA_SERVER } from '../../policy/marks.ts'
import { notTargetText } from '../../policy/roles.ts'
import { minuteOf } from '../../schedule/moment.ts'
import { isDue, retryText } from '../life.ts'
import type { CopyAction } from './action.ts'
import { isUnfinishedFirst, type TransferContext } from './context.ts'
import type { CopyWork } from './entry.ts'
import { lastingOf } from './lasting.ts'
import { knownVerified, originOf, parseVerified, refuseReplica } from './marks.ts'
import { mirroredOf, type Refused } from './mirroring.ts'
import { refuseOther, refuseTarget } from './refuse-target.ts'
import type { Seen } from './replica.ts'
import { isLeftover } from './transfer.ts'

export type Start =
  | { state: 'start'; action: CopyAction }
  | { state: 'wait'; reason: string; until: string | null }
  | { state: 'refused'; reason: string }
  /** Nothing is tried until the relay's configuration lets it be done. */
  | { state: 'closed'; reason: string }
  /** A refresh would remove what must stay. */
  | { state: 'held'; refused: Refused }
  | { state: 'current' }
  /** Its target gives no answer, and there is nothing to send: that is no try, and so none that failed. */
  | { state: 'unseen'; reason: string }

/** `refused`: why a refresh must not remove what the source no longer has. */
export function startCopy(context: TransferContext, seen: Seen, refused: Refused | null): Start {
  const { starting } = context
  const newest = wantedOf(context)
  const wanted = newest.filter((pair) => !isIn(context.verified, pair))
  // A copy of another instance or owner is reported, though it seems up to date: snapshots of two instances may have
  // the same names and dates, and two installations must not make the same copy.
  if (wanted.length === 0 && !starting.allowed && !isTheirs(context)) return { state: 'current' }
  // Before the next try, which need not be waited for once the role is right.
  const role = refuseRole(context)
  if (role !== null) return { state: 'closed', reason: role }
  const { entry, now } = starting
  if (entry !== undefined && !isDue(entry, now))
    return { state: 'wait', reason: retryText(entry), until: entry.retryAt ?? null }
  if (entry !== undefined && !starting.allowed && isCancelled(entry, wanted))
    return {
      state: 'wait',
      reason: `it was cancelled at ${entry.cancelled}: the next snapshot is copied again, and /backup copy begins it now`,
      until: null,
    }
  if (seen.state === 'unknown')
    return { state: isAsLastSeen(newest, context) ? 'unseen' : 'refused', reason: seen.reason }
  const { target } = context
  const refusal = target === null ? null : refuseTarget({ ...context, target, wanted })
  if (refusal !== null) return { state: 'refused', reason: refusal }
  if (refused !== null) return { state: 'held', refused }
  const action = actionOf(context, wanted)
  const unsent = action.first ? null : refuseOlder(context, wanted)
  return unsent === null ? { state: 'start', action } : { state: 'refused', reason: unsent }
}

/**
 * Between two ZFS pools Incus sends only what is newer than the newest common snapshot, but lists the rest as if it had come
 * (read in its source, 7.x). Where there is something newer as well, that goes alone.
 */
function refuseOlder(context: TransferContext, wanted: readonly SnapshotPair[]): string | null {
  const [first] = wanted
  if (first === undefined || !sendsNewerAlone(context) || wanted.some(isNewerThan(commonOf(context))))
    return null
  return `${first[0]} is missing on ${context.replica.target.remote} and older than the newest snapshot that both sides have. Between two ZFS pools Incus can't send such a one: the next snapshot of its policy is copied again`
}

function sendsNewerAlone({
  replica: { source, target: at },
  target,
  starting: { world },
}: TransferContext): boolean {
  if (target === null) return false
  const drivers = [
    driverOf(world, source.ref.remote, source.record.pool),
    driverOf(world, at.remote, target.pool),
  ]
  return drivers.every((driver) => driver === 'zfs')
}

const commonOf = ({ snapshots, verified }: TransferContext): SnapshotPair | null =>
  newestPair(commonPairs(snapshots, verified))

const isNewerThan =
  (common: SnapshotPair | null) =>
  ([, createdAt]: SnapshotPair): boolean =>
    common === null || createdAt > common[1]

/** Until there is a snapshot that is newer. */
const isCancelled = ({ cancelled }: CopyWork, wanted: readonly SnapshotPair[]): boolean =>
  cancelled !== undefined && wanted.every(([, createdAt]) => createdAt * 1000 <= Date.parse(cancelled))

/**
 * The target is away for the moment, and was verified up to the newest snapshot when it was seen last. What it won't
 * get over by itself, such as another certificate, is told in the copy's entry before something has to be sent.
 */
function isAsLastSeen(
  newest: readonly SnapshotPair[],
  { replica: { target }, starting: { entry, world, allowed } }: TransferContext,
): boolean {
  const reply = own(world.remotes, target.remote)
  if (allowed || entry?.state !== 'verified' || reply?.ok !== false || !isPassing(reply.error)) return false
  const verified = parseVerified(entry.verified)
  return newest.every((pair) => isIn(verified, pair))
}

/** The relay would refuse it. */
const refuseRole = ({ replica: { target }, starting: { world } }: TransferContext): string | null =>
  rulesOf(world, target.remote)?.role === 'source' ? notTargetText(target.remote) : null

const isTheirs = ({ replica, target, starting }: TransferContext): boolean =>
  target !== null &&
  (refuseReplica(target, originOf(replica.source, starting)) ?? refuseOther(replica, target, starting)) !==
    null

/**
 * The newest snapshot of each policy that wants the copy, and the newest on request, by creation, without names of a
 * future slot.
 */
const wantedOf = ({ replica, snapshots, starting }: TransferContext): SnapshotPair[] =>
  [...new Set([...replica.wanting.map(({ covered }) => covered.policy.name), MANUAL])].flatMap((name) =>
    newestOf(name, snapshots, starting.now),
  )

/**
 * Mostly only the name of the last one is parsed; all of them if that has a future slot. If a wrong clock
 * dated it in the future, also the newest of those made since, by name.
 */
function newestOf(policy: string, snapshots: readonly SnapshotPair[], now: Date): SnapshotPair[] {
  const named = snapshots.filter(([name]) => name.startsWith(policy))
  const last = named.reduce((latest, [, createdAt]) => Math.max(latest, createdAt), 0)
  const isMine = (pair: SnapshotPair) => ownSnapshot(pair)?.policy === policy
  const newest =
    newestPair(named.filter((pair) => pair[1] === last && isMine(pair))) ?? newestPair(named.filter(isMine))
  if (newest === null) return []
  const isAhead = aheadOf(now)
  if (!isAhead(newest)) return [newest]
  const since = newestPair(named.filter((pair) => pair[0] > newest[0] && !isAhead(pair) && isMine(pair)))
  return since === null ? [newest] : [newest, since]
}

function actionOf(context: TransferContext, wanted: SnapshotPair[]): CopyAction {
  const { replica, target, snapshots, verified, starting } = context
  const { entry, server, installation } = starting
  const [first] = replica.wanting
  const startOver = isUnfinishedFirst(context)
  const fresh = target === null || startOver
  const partial = partialOn(context)
  const id = `${wanted[0]?.[0] ?? `allowed-${minuteOf(starting.now).getTime()}`}#${entry?.attempts ?? 0}`
  const common = commonOf(context)
  const excludeOlder = wanted.every(isNewerThan(common)) || sendsNewerAlone(context)
  const older = excludeOlder ? [] : sentOlder(context, common?.[1] ?? 0, partial)
  const known = target === null || startOver ? [] : knownVerified(target, entry)
  const pool = fresh ? (first?.copy.pool ?? null) : target.pool
  return {
    kind: 'copy',
    source: replica.source.ref,
    target: replica.target,
    key: replica.key,
    job: `${replica.key}:${id}`,
    type: replica.source.record.type,
    transferMode: first?.copy.transferMode ?? 'pull',
    pool,
    member: fresh ? (first?.copy.target ?? null) : target.location === 'none' ? null : target.location,
    ...(fresh && first?.copy.given !== undefined ? { given: first.copy.given } : {}),
    first: fresh,
    startOver,
    unverified: startOver ? [] : partial.filter(isAddressable),
    transfer: { id, from: fresh ? 0 : Math.max(1, common?.[1] ?? 1), names: older.map(([name]) => name) },
    owner: renderInstallation(installation),
    // What is sent again was missing, so it is verified again, too.
    verified: known.filter((pair) => !isIn(older, pair)),
    listed: (target?.snapshots ?? []).map(([name]) => name),
    unfinished: context.unfinished,
    lasting: [...lastingOf(replica, verified, starting.sorter)],
    mirrored: mirroredOf(context).map(([name]) => name),
    excludeOlder,
    sourceServer: server,
    ...treatmentFor(context, pool),
    through: newestPair(snapshots)?.[1] ?? 0,
    stale: [
      ...(startOver ? [] : partial.filter((name) => !isAddressable(name))),
      ...partialOnSource(context),
    ],
    extended: {
      ...entry?.memo?.extended,
      ...(entry?.putOff === undefined ? {} : { [entry.putOff.snapshot]: entry.putOff.own }),
    },
    reason: `${wanted.length === 0 ? 'nothing new' : `${wanted.map(([name]) => name).join(', ')} not verified`} on ${replica.target.remote}${fresh ? '' : renewed(target, context)}`,
  }
}

/** A new certificate is accepted where the newest verified snapshot is on the source; the reason says so. */
const renewed = ({ config }: InstanceRecord, { replica, starting }: TransferContext): string =>
  config[REPLICA_SERVER] === starting.server
    ? ''
    : `; the certificate of ${replica.source.ref.remote} has changed`

/** All policies of one replica have the same `allow`. */
function treatmentFor(
  { replica, starting: { world, entry } }: TransferContext,
  pool: string | null,
): Treatment {
  const { source, target, wanting } = replica
  const { record } = source
  // A volume has no processes that could stand still.
  if (record.type === 'volume') return { inconsistent: false, standstill: null }
  return treatmentOf({
    record,
    source: driverOf(world, source.ref.remote, record.pool),
    target: pool === null ? undefined : driverOf(world, target.remote, pool),
    allow: wanting[0]?.copy.allow ?? 'inconsistent',
    took: entry?.took,
  })
}

/** Snapshots that may be partial on the source; Incus sends them as well. */
const partialOnSource = ({ replica: { source }, starting }: TransferContext): string[] =>
  (source.record.snapshots ?? [])
    .map(([name]) => name)
    .filter((name) => starting.incomplete.has(`${source.key}/${name}`))

/** Source snapshots that Incus sends besides the newer ones: as old as the newest common one, or older. */
const sentOlder = (
  { target, snapshots }: TransferContext,
  common: number,
  partial: readonly string[],
): SnapshotPair[] =>
  snapshots.filter(
    (pair) =>
      pair[1] <= common &&
      (!isIn(target?.snapshots ?? [], pair) || partial.includes(pair[0])) &&
      isAddressable(pair[0]),
  )

/** Snapshots that are on the target only by an unverified transfer, and may be partial. */
const partialOn = ({ replica, target, verified, unfinished }: TransferContext): string[] =>
  unfinished === null
    ? []
    : (target?.snapshots ?? [])
        .filter(
          (pair) => !isIn(verified, pair) && isLeftover(unfinished, pair, replica.source.record.snapshots),
        )
        .map(([name]) => name)
