/** Serving a policy's open slot: who has its snapshot, who gets it now, who waits and why. */

import { expiresAt } from '../incus/expiry.ts'
import type { SnapshotPair } from '../incus/inventory.ts'
import { parseSnapshotName, snapshotName } from '../incus/snapshot-name.ts'
import { failAttempt } from '../ledger/attempts.ts'
import type { Attempt, OpenSlot, PolicyLedger } from '../ledger/ledger.ts'
import { unseenIn } from '../ledger/unseen.ts'
import { own } from '../own.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import { jitterSeconds } from '../schedule/jitter.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { driverOf, snapshotStandstill } from './freezing.ts'
import { catchupMoment, FIRST_SPREAD, isLate, spreadOf } from './late.ts'
import type { SlotPlan, SnapshotAction } from './plan.ts'
import { firstName, takenFor } from './taken.ts'
import type { World } from './world.ts'

export type Served = { plan: SlotPlan; actions: SnapshotAction[] }

/** What a create needs to know besides the inventory. */
export type Serving = {
  now: Date
  /** `instance key/snapshot` of creates that are still running. */
  incomplete: ReadonlySet<string>
  /** The policy's next slot after now: jitter never reaches it. */
  next: Date | null
  /** Instances that get none now, by key. */
  withheld: ReadonlyMap<string, string>
  reason: string
  /** Tells the storage driver of an instance's pool. */
  world: Pick<World, 'remotes'>
  /** Without the policy's jitter. */
  atOnce?: boolean
}

/** What is gathered while the instances of a slot are gone through, one after the other. */
type Service = {
  open: OpenSlot
  until: Date
  serving: Serving
  plan: SlotPlan
  actions: SnapshotAction[]
  attempts: Record<string, Attempt>
  doubtful: string[]
  /** Names of snapshots that may be partial, which count for nothing. */
  doubted: ReadonlySet<string>
  making: ReadonlySet<string>
  /** The names that serve the slot. */
  names: Set<string>
}

export function serveSlot(coverage: Coverage, ledger: PolicyLedger, serving: Serving): Served {
  const { open } = ledger
  if (open === null) return { plan: nobodyServed(coverage, ledger, null), actions: [] }
  const service = beginService(coverage, ledger, open, serving)
  for (const { key, reason } of coverage.unreadable) fail(service, key, reason)
  for (const covered of coverage.covered) serve(service, covered)
  if (coverage.covered.length + coverage.unreadable.length === 0) endEmpty(coverage, service.plan)
  return endService(service, ledger)
}

const nobodyServed = ({ policy }: Coverage, ledger: PolicyLedger, until: Date | null): SlotPlan => ({
  policy: policy.name,
  ledger,
  served: [],
  waiting: [],
  failed: [],
  empty: null,
  remark: null,
  until: until?.toISOString() ?? null,
})

function beginService(coverage: Coverage, ledger: PolicyLedger, open: OpenSlot, serving: Serving): Service {
  const { policy } = coverage
  const until = servableUntil(policy, new Date(open.slot))
  const doubtful = [...(ledger.doubtful ?? [])]
  return {
    open,
    until,
    serving,
    plan: nobodyServed(coverage, ledger, until),
    actions: [],
    attempts: { ...open.attempts },
    doubtful,
    doubted: new Set([...doubtful, ...unseenIn(policy.name, open)]),
    making: inMaking(policy.name, open, serving.incomplete),
    names: new Set(),
  }
}

function fail({ attempts, plan, serving, until }: Service, key: string, reason: string): void {
  const attempt = nextAttempt(attempts[key], reason, serving.now, until)
  attempts[key] = attempt
  settle(plan, key, attempt)
}

function serve(service: Service, covered: Covered): void {
  const { plan, open, doubted, making, serving, names } = service
  const { key, record, barred } = covered
  if (record.snapshots === null) {
    fail(service, key, record.problem ?? 'its snapshots could not be listed')
    return
  }
  const taken = takenFor(plan.policy, open, record.snapshots, { key, doubted })[0] ?? own(open.made, key)
  if (serving.withheld.has(key) || making.has(key))
    plan.waiting.push({ instance: key, until: minutesFrom(serving.now, 1) })
  else if (taken !== undefined) {
    plan.served.push(key)
    names.add(taken)
  } else if (barred !== null) plan.failed.push({ instance: key, reason: barred })
  else begin(service, covered, record.snapshots)
}

/** What an earlier try of another name may have left goes once this one is there. */
function begin(service: Service, covered: Covered, snapshots: readonly SnapshotPair[]): void {
  const { plan, open, serving, actions, names, attempts, doubtful } = service
  const { key } = covered
  const action = take(covered, snapshots, open, plan, serving)
  if (action === null) return
  actions.push(action)
  names.add(action.name)
  const left = attempts[key]
  if (left?.unseen !== true || action.again) return
  doubtful.push(`${key}/${triedName(plan.policy, open, left)}`)
  const { unseen: _, name: __, ...attempt } = left
  attempts[key] = attempt
}

function endService(
  { plan, open, names, doubtful, attempts, actions }: Service,
  ledger: PolicyLedger,
): Served {
  const doubts = doubtful.length === 0 ? {} : { doubtful }
  const remark = remarkOn(plan.policy, open, names)
  return { plan: { ...plan, remark, ledger: { ...ledger, ...doubts, open: { ...open, attempts } } }, actions }
}

/** Keys of instances of which a snapshot for the slot is being made. */
function inMaking(policy: string, open: OpenSlot, incomplete: ReadonlySet<string>): ReadonlySet<string> {
  const from = firstName(policy, open)
  return new Set(
    [...incomplete].flatMap((entry) => {
      const at = entry.lastIndexOf('/')
      const name = entry.slice(at + 1)
      return name >= from && parseSnapshotName(name)?.policy === policy ? [entry.slice(0, at)] : []
    }),
  )
}

/** What people are told of a slot whose snapshots don't have its name. */
function remarkOn(policy: string, open: OpenSlot, names: ReadonlySet<string>): string | null {
  if (open.first === true) return 'the first one, as there was no snapshot of the policy'
  const late = [...names].filter((name) => name !== snapshotName({ policy, slot: new Date(open.slot) }))
  return late.length === 0 ? null : `taken late, as ${late.join(', ')}`
}

const triedName = (policy: string, { slot }: OpenSlot, { name }: Attempt): string =>
  name ?? snapshotName({ policy, slot: new Date(slot) })

/** A slot may be served until then. */
const servableUntil = (policy: { catchup: number }, slot: Date): Date =>
  new Date(slot.getTime() + policy.catchup * 1000)

/** What could not be observed counts as a try only when one was due. */
function nextAttempt(known: Attempt | undefined, reason: string, now: Date, until: Date): Attempt {
  if (known === undefined) return failAttempt(known, reason, now, until)
  const due = known.retryAt !== undefined && new Date(known.retryAt) <= now
  return due ? failAttempt(known, reason, now, until) : known
}

function settle(plan: SlotPlan, instance: string, attempt: Attempt): void {
  if (attempt.retryAt === undefined) plan.failed.push({ instance, reason: attempt.reason })
  else plan.waiting.push({ instance, until: attempt.retryAt })
}

function take(
  covered: Covered,
  snapshots: readonly SnapshotPair[],
  open: OpenSlot,
  plan: SlotPlan,
  { now, next, reason, atOnce, world }: Serving,
): SnapshotAction | null {
  const { policy, key, ref, record } = covered
  const attempt = open.attempts[key]
  if (attempt !== undefined && (attempt.retryAt === undefined || new Date(attempt.retryAt) > now)) {
    settle(plan, key, attempt)
    return null
  }
  const slot = new Date(open.slot)
  const spread = spreadOf(policy, slot, next)
  const soon = atOnce === true || open.first === true
  const due = soon ? slot : new Date(slot.getTime() + jitterSeconds(`${policy.name} ${key}`, spread) * 1000)
  const late = atOnce !== true && isLate(open.first === true ? FIRST_SPREAD : spread, slot, now)
  const moment = late ? catchupMoment(now) : slot
  const from = new Date(Math.max(moment.getTime(), due.getTime()))
  if (from > now) {
    plan.waiting.push({ instance: key, until: from.toISOString() })
    return null
  }
  const unseen = attempt?.unseen === true ? triedName(policy.name, open, attempt) : null
  const name = freeName(policy.name, moment, snapshots)
  const again = name === unseen
  const stateful = policy.stateful && record.status === 'Running'
  return {
    kind: 'snapshot',
    ref,
    policy: policy.name,
    slot: slot.toISOString(),
    name,
    stateful,
    again,
    standstill: snapshotStandstill(record, driverOf(world, ref.remote, record.pool), stateful),
    expiresAt: policy.expiry === null ? null : expiresAt(policy.expiry, now).toISOString(),
    reason: `${reason}${again ? AGAIN : ''}${stateful && record.memory !== true ? REFUSED : ''}`,
  }
}

/**
 * Whoever may snapshot may have used the name for one of theirs, and a try whose end nobody saw may have left a
 * whole one: that goes only once another is there. Then it is the next minute's.
 */
function freeName(policy: string, moment: Date, snapshots: readonly SnapshotPair[]): string {
  for (let minute = 0; ; minute += 1) {
    const name = snapshotName({ policy, slot: new Date(minutesFrom(moment, minute)) })
    if (!snapshots.some(([used]) => used === name)) return name
  }
}

const AGAIN = '; made again, as nobody saw the end of an earlier try'
/** It is tried all the same, and fails with Incus's own words. */
const REFUSED = '; with "stateful" Incus takes it only once migration.stateful=true is set on it'

/** Nobody to serve: for a reason of the policy's own that is a skipped slot, for a problem it is a failed one. */
function endEmpty({ skipped, problems }: Coverage, plan: SlotPlan): void {
  const left = skipped[0]
  plan.failed.push(...problems.map(({ about, reason }) => ({ instance: about, reason })))
  plan.empty =
    left === undefined ? 'no instance matches' : `all that match are left out: ${left.key} ${left.reason}`
}
