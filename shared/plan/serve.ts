/** Serving a policy's open slot: who has its snapshot, who gets it now, who waits and why. */

import { expiresAt } from '../incus/expiry.ts'
import type { SnapshotPair } from '../incus/inventory.ts'
import { snapshotName } from '../incus/snapshot-name.ts'
import { failAttempt } from '../ledger/attempts.ts'
import type { Attempt, PolicyLedger } from '../ledger/ledger.ts'
import type { Coverage, Covered } from '../policy/cover.ts'
import { jitterSeconds } from '../schedule/jitter.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { driverOf, snapshotStandstill } from './freezing.ts'
import type { SlotPlan, SnapshotAction } from './plan.ts'
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

export function serveSlot(coverage: Coverage, ledger: PolicyLedger, serving: Serving): Served {
  const { policy } = coverage
  const open = ledger.open
  const nobody: Pick<SlotPlan, 'served' | 'waiting' | 'failed' | 'empty'> = {
    served: [],
    waiting: [],
    failed: [],
    empty: null,
  }
  if (open === null) return { plan: { policy: policy.name, ledger, ...nobody, until: null }, actions: [] }
  const slot = new Date(open.slot)
  const until = servableUntil(policy, slot)
  const plan: SlotPlan = { policy: policy.name, ledger, ...nobody, until: until.toISOString() }
  const attempts = { ...open.attempts }
  const fail = (key: string, reason: string) => {
    const attempt = nextAttempt(attempts[key], reason, serving.now, until)
    attempts[key] = attempt
    settle(plan, key, attempt)
  }
  const actions: SnapshotAction[] = []
  const name = snapshotName({ policy: policy.name, slot })
  for (const { key, reason } of coverage.unreadable) fail(key, reason)
  for (const covered of coverage.covered) {
    if (covered.record.snapshots === null)
      fail(covered.key, covered.record.problem ?? 'its snapshots could not be listed')
    else if (serving.withheld.has(covered.key))
      plan.waiting.push({ instance: covered.key, until: minutesFrom(serving.now, 1) })
    else if (serving.incomplete.has(`${covered.key}/${name}`))
      plan.waiting.push({ instance: covered.key, until: minutesFrom(serving.now, 1) })
    else if (has(covered.record.snapshots, name) && attempts[covered.key]?.unseen !== true)
      plan.served.push(covered.key)
    else if (covered.barred !== null) plan.failed.push({ instance: covered.key, reason: covered.barred })
    else {
      const action = take(covered, slot, name, attempts[covered.key], plan, serving)
      if (action !== null) actions.push(action)
    }
  }
  if (coverage.covered.length + coverage.unreadable.length === 0) endEmpty(coverage, plan)
  return { plan: { ...plan, ledger: { ...ledger, open: { slot: open.slot, attempts } } }, actions }
}

const has = (snapshots: readonly SnapshotPair[], name: string): boolean =>
  snapshots.some(([taken]) => taken === name)

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
  slot: Date,
  name: string,
  attempt: Attempt | undefined,
  plan: SlotPlan,
  { now, next, reason, atOnce, world }: Serving,
): SnapshotAction | null {
  const { policy, key, ref, record } = covered
  const due = atOnce === true ? now : dueAt(covered, slot, next)
  if (attempt !== undefined && (attempt.retryAt === undefined || new Date(attempt.retryAt) > now)) {
    settle(plan, key, attempt)
    return null
  }
  if (due > now) {
    plan.waiting.push({ instance: key, until: due.toISOString() })
    return null
  }
  const stateful = policy.stateful && record.status === 'Running'
  return {
    kind: 'snapshot',
    ref,
    policy: policy.name,
    slot: slot.toISOString(),
    name,
    stateful,
    again: attempt?.unseen === true,
    standstill: snapshotStandstill(record, driverOf(world, ref.remote, record.pool), stateful),
    expiresAt: policy.expiry === null ? null : expiresAt(policy.expiry, now).toISOString(),
    reason: `${reason}${attempt?.unseen === true ? AGAIN : ''}${stateful && record.memory !== true ? REFUSED : ''}`,
  }
}

const AGAIN = '; made again, as nobody saw the end of an earlier try'
/** It is tried all the same, and fails with Incus's own words. */
const REFUSED = '; with "stateful" Incus takes it only once migration.stateful=true is set on it'

/** The slot plus the instance's own stable delay, which ends a minute before the next slot at the latest. */
function dueAt({ policy, key }: Covered, slot: Date, next: Date | null): Date {
  const room = next === null ? policy.jitter : (next.getTime() - slot.getTime()) / 1000 - 60
  const window = Math.max(0, Math.min(policy.jitter, room))
  return new Date(slot.getTime() + jitterSeconds(`${policy.name} ${key}`, window) * 1000)
}

/** Nobody to serve: for a reason of the policy's own that is a skipped slot, for a problem it is a failed one. */
function endEmpty({ skipped, problems }: Coverage, plan: SlotPlan): void {
  const left = skipped[0]
  plan.failed.push(...problems.map(({ about, reason }) => ({ instance: about, reason })))
  plan.empty =
    left === undefined ? 'no instance matches' : `all that match are left out: ${left.key} ${left.reason}`
}
