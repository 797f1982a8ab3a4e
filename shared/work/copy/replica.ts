/** A replica: one source instance on one destination, with its target's state and the last transfer's report. */

import type { InstanceRecord, OperationRecord, SnapshotPair } from '../../incus/inventory.ts'
import { isManual, MANUAL, ownSnapshot, SAFETY } from '../../incus/snapshot-name.ts'
import { type InstanceRef, subjectKey, volumeIn } from '../../incus/subject.ts'
import { keyIn, kindIn, subjectIn, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { minRetentionOf, rulesOf, type World } from '../../plan/world.ts'
import type { Covered } from '../../policy/cover.ts'
import { targetOf } from '../../policy/places.ts'
import type { Copy } from '../../policy/policy.ts'
import { isLive } from '../life.ts'
import { COPY, type CopyWork } from './entry.ts'

export type Replica = {
  /** `source key>destination key`. */
  key: string
  source: Covered
  target: InstanceRef
  /** The policies that want it, each with its copy settings; never empty. */
  wanting: { covered: Covered; copy: Copy }[]
}

/**
 * Taken by a policy, not on request or before a restore: those have an expiry of their own. A policy of an earlier
 * version may be called as snapshots on request are.
 */
export function isOfPolicy({ wanting }: Pick<Replica, 'wanting'>, pair: SnapshotPair): boolean {
  const policy = ownSnapshot(pair)?.policy
  if (policy === undefined || policy === SAFETY) return false
  return policy !== MANUAL || isCalledManual({ wanting })
}

const isCalledManual = ({ wanting }: Pick<Replica, 'wanting'>): boolean =>
  wanting.some(({ covered }) => covered.policy.name === MANUAL)

/** Taken on request. */
export const isOnRequest = (replica: Pick<Replica, 'wanting'>, name: string): boolean =>
  isManual(name) && !isCalledManual(replica)

/** The state of the target: an instance or a volume, nothing, or unknown. */
export type Seen =
  | { state: 'there'; record: InstanceRecord }
  | { state: 'absent' }
  | { state: 'unknown'; reason: string }

export const replicasOf = (coverage: readonly Covered[]): Replica[] =>
  grouped(coverage.filter(({ policy }) => !policy.paused))

/** Replicas that only paused policies want: nothing is copied now, but later. */
export function restingOf(coverage: readonly Covered[]): Replica[] {
  const active = new Set(replicasOf(coverage).map(({ key }) => key))
  return grouped(coverage.filter(({ policy }) => policy.paused)).filter(({ key }) => !active.has(key))
}

export const replicaKey = (source: string, target: InstanceRef): string => `${source}>${subjectKey(target)}`

/** One replica for each instance and destination, also if several policies want it. */
function grouped(coverage: readonly Covered[]): Replica[] {
  const replicas = new Map<string, Replica>()
  for (const covered of coverage) {
    const { copy } = covered.policy
    if (copy === null) continue
    const target = targetOf(covered.ref, copy)
    const key = replicaKey(covered.key, target)
    const known = replicas.get(key)
    if (known === undefined) replicas.set(key, { key, source: covered, target, wanting: [{ covered, copy }] })
    else known.wanting.push({ covered, copy })
  }
  return [...replicas.values()]
}

export function seeTarget(world: World, target: InstanceRef): Seen {
  const remote = own(world.remotes, target.remote)
  if (remote === undefined) return { state: 'unknown', reason: `remote ${target.remote} was not queried` }
  if (!remote.ok) return { state: 'unknown', reason: `remote ${target.remote}: ${remote.error.message}` }
  const { inventory } = remote
  if (!inventory.projects.includes(target.project)) {
    const reason = `project ${target.project} does not exist on ${target.remote}: create it, or set copy.project`
    return { state: 'unknown', reason }
  }
  const record = world.find(target)
  if (record === undefined && volumeIn(target.instance) !== null && inventory.unlisted !== undefined)
    return { state: 'unknown', reason: `remote ${target.remote}: ${inventory.unlisted.join('; ')}` }
  if (record === undefined) return { state: 'absent' }
  if (record.snapshots !== null) return { state: 'there', record }
  return {
    state: 'unknown',
    reason: `${subjectKey(target)}: ${record.problem ?? 'its snapshots could not be listed'}`,
  }
}

/**
 * The target's `minRetention`, in seconds, as it is or as was seen last; null: it isn't known, so that anything that
 * is verified there may have to stay. What was seen last says nothing once the remote is no target any more.
 */
export function leastOn(
  { target }: Pick<Replica, 'target'>,
  world: Pick<World, 'remotes'>,
  known: Pick<CopyWork, 'least'> | undefined,
): number | null {
  const said = minRetentionOf(world, target.remote)
  if (said !== null) return said
  return rulesOf(world, target.remote) === undefined ? (known?.least ?? null) : null
}

const touches = (operation: OperationRecord, ref: InstanceRef): boolean =>
  operation.project === ref.project && operation.instances.includes(ref.instance)

/** An operation that only creates a snapshot is no transfer. */
const isTransfer = (operation: OperationRecord): boolean => operation.snapshots.length === 0

/** An operation on the target that may be a transfer, whoever started it. */
export const transferOn = (world: World, target: InstanceRef): OperationRecord | null => {
  const remote = own(world.remotes, target.remote)
  const operations = remote?.ok === true ? remote.inventory.operations : []
  return operations.find((operation) => isTransfer(operation) && touches(operation, target)) ?? null
}

/**
 * Copies in progress that no policy wants any more, by their source. If a snapshot that is being sent were
 * removed, Incus would end the copy with a success and without its data.
 */
export function strayCopies(
  replicas: readonly Replica[],
  { jobs }: World,
): { source: string; reason: string }[] {
  const wanted = new Set(replicas.map(({ key }) => key))
  return jobs.flatMap((job) => {
    const work = workOfJob(job.id)
    if (work === null || kindIn(work) !== COPY || wanted.has(keyIn(work)) || !isLive(job)) return []
    const reason = `a copy of it is still running, though no policy wants it any more (${keyIn(work)})`
    return [{ source: subjectIn(work), reason }]
  })
}
