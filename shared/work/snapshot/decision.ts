/** The decision for one instance of an open slot: it has the slot's snapshot, gets it now, later, or not at all. */
import type { InstanceRecord } from '../../incus/inventory.ts'
import { snapshotName } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import { failAttempt } from '../../ledger/attempts.ts'
import type { Attempt, Ledger, OpenSlot } from '../../ledger/ledger.ts'
import { own } from '../../own.ts'
import { driverOf, snapshotStandstill } from '../../plan/freezing.ts'
import type { World } from '../../plan/world.ts'
import type { Covered } from '../../policy/cover.ts'
import type { Policy } from '../../policy/policy.ts'
import { jitterSeconds } from '../../schedule/jitter.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { SnapshotAction } from './action.ts'
import { catchupMoment, FIRST_SPREAD, isLate, spreadOf } from './late.ts'
import { ownEnd, requestedEnd } from './own-end.ts'
import { takenFor } from './taken.ts'

/** The input besides coverage and ledger. */
export type Serving = {
  now: Date
  /** `instance key/snapshot` of creates that are still running. */
  incomplete: ReadonlySet<string>
  /** The policy's next slot after now: jitter never reaches it. */
  next: Date | null
  /** Instances that get none now, by key. */
  busy: ReadonlyMap<string, string>
  reason: string
  /** For the storage driver of an instance's pool. */
  world: Pick<World, 'remotes'>
  /** For what was seen last of where it is copied to. */
  ledger: Pick<Ledger, 'work'>
  /**
   * On request: without the policy's jitter, and under a name that retention doesn't count. The policies that cover
   * an instance, by its key: their settings say when its snapshot ends.
   */
  onRequest?: ReadonlyMap<string, readonly Policy[]>
  /** What the request says of it, instead of the policies. */
  asked?: Asked
}

/** `expiry`: of Incus's form; null: never. `stateful`: with its memory. */
export type Asked = { expiry?: string | null; stateful?: true; as?(key: string): SnapshotAction['as'] }

/** The open slot, before its instances are decided. */
export type Slot = {
  /** What its snapshots' names begin with: the policy's name, or that of snapshots on request. */
  policy: string
  open: OpenSlot
  /** It may be served until then. */
  until: Date
  serving: Serving
  /** `instance key/snapshot` of snapshots that may be partial, which aren't counted. */
  partial: ReadonlySet<string>
  /** Keys of instances of which a snapshot for it is being made. */
  making: ReadonlySet<string>
}

/** The decision for one instance. */
export type Decision = { key: string } & (
  | { is: 'served'; name: string; attempt?: never }
  /** `attempt`: the new state of its tries. */
  | { is: 'waiting'; until: string; attempt?: Attempt }
  | { is: 'failed'; reason: string; attempt?: Attempt }
  /**
   * `left`: the snapshot of an earlier try under another name, which is removed once this one is taken. `group`: key of the
   * first of those that it is taken together with.
   */
  | { is: 'taken'; action: SnapshotAction; attempt?: Attempt; left?: string; group?: string }
)

export function unreadableDecision({ open, serving, until }: Slot, key: string, reason: string): Decision {
  const attempt = nextAttempt(own(open.attempts, key), reason, serving.now, until)
  return { ...afterAttempt(key, attempt), attempt }
}

/** `leader`: whose delay within the slot it has. */
export function decisionOf(slot: Slot, covered: Covered, leader = covered): Decision {
  const { policy, open, partial, making, serving } = slot
  const { key, record, barred } = covered
  if (record.snapshots === null)
    return unreadableDecision(slot, key, record.problem ?? 'its snapshots could not be listed')
  // One of this minute isn't what somebody wants who says more of it.
  const isOther = Object.keys(serving.asked ?? {}).length > 0
  const taken = isOther
    ? undefined
    : (takenFor(policy, open, record.snapshots, { key, partial })[0] ?? own(open.made, key))
  if (serving.busy.has(key) || making.has(key))
    return { is: 'waiting', key, until: minutesFrom(serving.now, 1) }
  if (taken !== undefined) return { is: 'served', key, name: taken }
  if (barred !== null) return { is: 'failed', key, reason: barred }
  const attempt = own(open.attempts, key)
  if (attempt !== undefined && (attempt.retryAt === undefined || new Date(attempt.retryAt) > serving.now))
    return afterAttempt(key, attempt)
  const { from, moment } = momentOf(slot, leader)
  if (from > serving.now) return { is: 'waiting', key, until: from.toISOString() }
  return takeUnder(slot, covered, freeName(policy, moment, [record]))
}

export function takeUnder(slot: Slot, covered: Covered, name: string): Decision {
  const { open, policy } = slot
  const { key } = covered
  const attempt = own(open.attempts, key)
  const tried = attempt?.unseen === true ? triedName(policy, open, attempt) : null
  const action = actionOf(slot, covered, name, name === tried)
  if (attempt === undefined || tried === null || action.again) return { is: 'taken', key, action }
  const { unseen: _, name: __, ...counted } = attempt
  return { is: 'taken', key, action, attempt: counted, left: `${key}/${tried}` }
}

const triedName = (policy: string, { slot }: OpenSlot, { name }: Attempt): string =>
  name ?? snapshotName({ policy, slot: new Date(slot) })

/** A failed observation counts as a try only when one was due. */
function nextAttempt(known: Attempt | undefined, reason: string, now: Date, until: Date): Attempt {
  if (known === undefined) return failAttempt(known, reason, now, until)
  const due = known.retryAt !== undefined && new Date(known.retryAt) <= now
  return due ? failAttempt(known, reason, now, until) : known
}

const afterAttempt = (
  key: string,
  { retryAt, reason }: Attempt,
): Extract<Decision, { is: 'failed' | 'waiting' }> =>
  retryAt === undefined ? { is: 'failed', key, reason } : { is: 'waiting', key, until: retryAt }

/** When it is taken at the earliest, and the time that it is named after. */
export function momentOf({ open, serving }: Slot, { policy, key }: Covered): { from: Date; moment: Date } {
  const { now, next, onRequest } = serving
  const slot = new Date(open.slot)
  const spread = spreadOf(policy, slot, next)
  const soon = onRequest !== undefined || open.first === true
  const due = soon ? slot : new Date(slot.getTime() + jitterSeconds(`${policy.name} ${key}`, spread) * 1000)
  const late = onRequest === undefined && isLate(open.first === true ? FIRST_SPREAD : spread, slot, now)
  const moment = late ? catchupMoment(now) : slot
  return { from: new Date(Math.max(moment.getTime(), due.getTime())), moment }
}

function actionOf(
  { open, serving: { now, reason, world, ledger, onRequest, asked = {} } }: Slot,
  { policy, ref, record }: Covered,
  name: string,
  again: boolean,
): SnapshotAction {
  const failed = own(open.attempts, subjectKey(ref))
  const possible = policy.stateful === 'possible'
  const keeps = possible ? record.memory === true && !isWithout(failed) : policy.stateful
  const stateful = asked.stateful === true || (keeps && record.status === 'Running')
  const without = possible && !stateful && record.status === 'Running' ? WITHOUT : ''
  const ending = { ref, world, ledger, now }
  const as = asked.as?.(subjectKey(ref))
  const policies = onRequest?.get(subjectKey(ref)) ?? [policy]
  const wanted = asked.expiry
  return {
    kind: 'snapshot',
    ref,
    policy: policy.name,
    slot: new Date(open.slot).toISOString(),
    name,
    stateful,
    ...(stateful && possible && asked.stateful !== true ? { possible } : {}),
    again,
    standstill: snapshotStandstill(record, driverOf(world, ref.remote, record.pool), stateful),
    expiresAt:
      onRequest === undefined
        ? ownEnd(policy, ending)
        : requestedEnd(
            wanted === undefined ? policies : policies.map((one) => ({ ...one, manual: { expiry: wanted } })),
            ending,
          ),
    ...(as === undefined ? {} : { as }),
    reason: `${reason}${again ? AGAIN : ''}${without}${stateful && record.memory !== true ? REFUSED : ''}`,
  }
}

/**
 * The next free name. A person may have used it, or a try with an unknown outcome may have left a complete
 * snapshot, which is only removed once another is taken. Then the name of the next minute is used.
 */
export function freeName(
  policy: string,
  moment: Date,
  records: readonly Pick<InstanceRecord, 'snapshots'>[],
): string {
  const used = new Set(records.flatMap(({ snapshots }) => (snapshots ?? []).map(([name]) => name)))
  for (let minute = 0; ; minute += 1) {
    const name = snapshotName({ policy, slot: new Date(minutesFrom(moment, minute)) })
    if (!used.has(name)) return name
  }
}

/** After a try by which it can't, or two that failed for whatever reason. */
const isWithout = (failed: Attempt | undefined): boolean =>
  failed !== undefined &&
  (failed.count >= 2 || /migration\.stateful|size\.state|CRIU|stateful/i.test(failed.reason))

const WITHOUT = ", without its memory, which it can't keep (the policy takes it then all the same)"
const AGAIN = '; taken again, because the outcome of an earlier try is unknown'
/** It is tried anyway, and fails with Incus's own error. */
const REFUSED = '; with "stateful", Incus takes it only once migration.stateful=true is set on the instance'
