/** Whether a replica's next transfer starts now, and what has to happen before it. */
import type { InstanceRecord, SnapshotPair } from '../incus/inventory.ts'
import { parseSnapshotName } from '../incus/snapshot-name.ts'
import type { CopyLedger } from '../ledger/ledger.ts'
import { VERIFIED } from '../policy/marks.ts'
import { commonPairs, newestPair, parseVerified, refuseReplica, samePair, verifiedOn } from './marks.ts'
import type { CopyAction } from './plan.ts'
import type { Replica, Seen } from './replica.ts'

export type Start =
  | { state: 'start'; action: CopyAction }
  | { state: 'wait'; reason: string; until: string | null }
  | { state: 'refused'; reason: string }
  | { state: 'current' }

export type Starting = {
  now: Date
  ledger: CopyLedger | undefined
  /** Identity of the source's server. */
  server: string
  /** Snapshots still being made don't travel yet. */
  incomplete: ReadonlySet<string>
}

export function startCopy(replica: Replica, seen: Seen, starting: Starting): Start {
  const snapshots = (replica.source.record.snapshots ?? []).filter(
    ([name]) => !starting.incomplete.has(`${replica.source.key}/${name}`),
  )
  const target = seen.state === 'there' ? seen.record : null
  const verified = target === null ? [] : verifiedOn(target)
  const wanted = wantedOf(replica, snapshots).filter((pair) => !verified.some((mark) => samePair(mark, pair)))
  if (wanted.length === 0) return { state: 'current' }
  const { retryAt } = starting.ledger ?? {}
  if (retryAt !== undefined && new Date(retryAt) > starting.now)
    return {
      state: 'wait',
      reason: `tried again at ${retryAt}: ${starting.ledger?.reason ?? ''}`,
      until: retryAt,
    }
  if (seen.state === 'unknown') return { state: 'refused', reason: seen.reason }
  const refusal = target === null ? null : refuseTarget(replica, target, snapshots, verified, starting.server)
  if (refusal !== null) return { state: 'refused', reason: refusal }
  return { state: 'start', action: actionOf(replica, target, snapshots, verified, wanted, starting) }
}

/** The newest snapshot of each policy that wants the copy. */
function wantedOf(replica: Replica, snapshots: readonly SnapshotPair[]): SnapshotPair[] {
  return replica.wanting.flatMap(({ covered }) => {
    const mine = snapshots.filter(([name]) => parseSnapshotName(name)?.policy === covered.policy.name)
    const newest = mine.reduce<SnapshotPair | null>(
      (best, pair) => (best === null || pair[0] > best[0] ? pair : best),
      null,
    )
    return newest === null ? [] : [newest]
  })
}

/** Reasons not to touch the target: each would lose something that nobody can bring back. */
function refuseTarget(
  { source }: Replica,
  target: InstanceRecord,
  snapshots: readonly SnapshotPair[],
  verified: readonly SnapshotPair[],
  server: string,
): string | null {
  const stranger = refuseReplica(target, source.ref, server)
  if (stranger !== null) return stranger
  if (target.status !== 'Stopped')
    return `the copy is ${target.status} on the target: stop it, or rename it if it has taken over`
  const onSource = new Set(snapshots.map(([name]) => name))
  const handmade = (target.snapshots ?? []).find(
    (pair) =>
      !onSource.has(pair[0]) &&
      parseSnapshotName(pair[0]) === null &&
      !verified.some((mark) => samePair(mark, pair)),
  )
  if (handmade !== undefined)
    return `the target has the snapshot ${handmade[0]}, which the source never had; a refresh would delete it: copy it to an instance of its own, or delete it`
  if (verified.length > 0 && commonPairs(verified, snapshots).length === 0)
    return `source and target have no snapshot in common, so a refresh would delete all ${verified.length} verified ones: rename the target to keep it, and a new first copy is made`
  return null
}

function actionOf(
  replica: Replica,
  target: InstanceRecord | null,
  snapshots: readonly SnapshotPair[],
  verified: SnapshotPair[],
  wanted: SnapshotPair[],
  { ledger, server }: Starting,
): CopyAction {
  const [first] = replica.wanting
  const startOver = target !== null && isUnfinished(target, verified)
  const unverified = (target?.snapshots ?? []).filter(
    (pair) => !verified.some((mark) => samePair(mark, pair)),
  )
  const dates = new Map(snapshots)
  return {
    kind: 'copy',
    source: replica.source.ref,
    target: replica.target,
    key: replica.key,
    job: `${replica.key}:${wanted[0]?.[0]}#${ledger?.attempts ?? 0}`,
    type: replica.source.record.type,
    transferMode: first?.copy.transferMode ?? 'pull',
    pool: first?.copy.pool ?? null,
    member: target === null || startOver || target.location === 'none' ? null : target.location,
    first: target === null || startOver,
    startOver,
    unverified: startOver ? [] : unverified.map(([name]) => name),
    marks: startOver || target === null || marked(target) === verified.length ? null : verified,
    mirrored: verified.filter(([name, date]) => dates.get(name) !== date).map(([name]) => name),
    excludeOlder: isNewerThan(newestPair(commonPairs(snapshots, verified)), wanted),
    sourceServer: server,
    through: newestPair(snapshots)?.[1] ?? 0,
    extended: ledger?.memo?.extended ?? {},
    reason: `${wanted.map(([name]) => name).join(', ')} not verified on ${replica.target.remote}`,
  }
}

/** Never verified. One whose verified snapshots have all expired since is refreshed as it is. */
const isUnfinished = (target: InstanceRecord, verified: readonly SnapshotPair[]): boolean =>
  verified.length === 0 && (marked(target) === 0 || (target.snapshots ?? []).length > 0)

const isNewerThan = (common: SnapshotPair | null, wanted: readonly SnapshotPair[]): boolean =>
  common === null || wanted.every(([, createdAt]) => createdAt > common[1])

const marked = (target: InstanceRecord): number => parseVerified(target.config[VERIFIED]).length
