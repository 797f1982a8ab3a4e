/** The notebook after a run: the old one, what the plan learned, and what came of its actions. */
import { instanceKey } from '../incus/inventory.ts'
import { classify, describe, mayRetry } from '../incus/refusal.ts'
import { failAttempt, retryCopyAt } from '../ledger/attempts.ts'
import {
  type CopyLedger,
  type Ledger,
  type PolicyLedger,
  RUN_RECORDS,
  type RunRecord,
} from '../ledger/ledger.ts'
import { closedSlot, pushSlot } from '../ledger/slots.ts'
import { doubtfulIn, unseenIn } from './doubtful.ts'
import type { Outcome } from './jobs.ts'
import type { CopyAction, Plan, SlotPlan } from './plan.ts'
import { restoresAfter } from './restores-record.ts'

export type Recorded = {
  ledger: Ledger
  /** Whether it is worth a write: more changed than the time. */
  changed: boolean
}

export type Happened = {
  plan: Plan
  outcomes: readonly Outcome[]
  run: RunRecord | null
  config: string
  now: Date
}

/** With nothing due, the configuration is looked at again after this long all the same. */
const LONGEST_SLEEP_HOURS = 24

export function record(before: Ledger, happened: Happened): Recorded {
  const { plan, outcomes, run, config, now } = happened
  const wake = plan.asked ? [...plan.wake, before.wakeAt] : [...plan.wake]
  const policies = {
    ...(plan.asked ? before.policies : {}),
    ...Object.fromEntries(plan.slots.map((slot) => [slot.policy, accountFor(slot, before, happened, wake)])),
  }
  const copies = {
    ...keptCopies(before, now),
    ...Object.fromEntries(plan.copies.map(({ key, ledger }) => [key, ledger])),
  }
  for (const outcome of outcomes) recordCopy(copies, before, outcome, now)
  const restores = restoresAfter(before, plan, outcomes, now)
  const runs = run === null ? before.runs : [run, ...before.runs].slice(0, RUN_RECORDS)
  const sleep = new Date(now.getTime() + LONGEST_SLEEP_HOURS * 3_600_000).toISOString()
  const wakeAt = [sleep, ...wake].sort()[0] ?? sleep
  const noted = Object.keys(restores).length === 0 ? {} : { restores }
  const ledger: Ledger = { config, wakeAt, policies, copies, ...noted, runs }
  return { ledger, changed: isNews(before, ledger, now) }
}

/** Waking a minute later is not news as long as the old note makes every tick look. */
function isNews(before: Ledger, after: Ledger, now: Date): boolean {
  const soon = new Date(now.getTime() + 90_000).toISOString()
  const staysAwake = before.wakeAt <= now.toISOString() && after.wakeAt <= soon
  if (!staysAwake && before.wakeAt !== after.wakeAt) return true
  return JSON.stringify({ ...before, wakeAt: '' }) !== JSON.stringify({ ...after, wakeAt: '' })
}

function accountFor(
  plan: SlotPlan,
  before: Ledger,
  { outcomes, plan: { asked }, now }: Happened,
  wake: string[],
): PolicyLedger {
  const { open } = plan.ledger
  if (open === null) return asked ? (before.policies[plan.policy] ?? plan.ledger) : plan.ledger
  const attempts = { ...open.attempts }
  const served = [...plan.served]
  const failures = [...plan.failed]
  const waiting = [...plan.waiting]
  for (const outcome of outcomes) {
    const { action } = outcome
    if (action.kind !== 'snapshot' || action.policy !== plan.policy) continue
    const key = instanceKey(action.ref)
    if (outcome.state === 'done') {
      served.push(key)
      // While the slot stays open for others, what an earlier try left unseen is no more.
      delete attempts[key]
    } else {
      const { reason, again, unseen } = whatNow(outcome)
      const attempt = failAttempt(
        attempts[key],
        reason,
        now,
        again && plan.until !== null ? new Date(plan.until) : null,
      )
      attempts[key] = unseen ? { ...attempt, unseen } : attempt
      if (attempt.retryAt === undefined) failures.push({ instance: key, reason })
      else waiting.push({ instance: key, until: attempt.retryAt })
    }
  }
  const close = () => closedSlot(open.slot, { served: served.length, failures, empty: plan.empty })
  if (asked) {
    const known = before.policies[plan.policy] ?? { ...plan.ledger, open: null }
    return recordAsked(known, close(), waiting, unseenIn(plan.policy, { slot: open.slot, attempts }))
  }
  if (waiting.length === 0) {
    const doubtful = doubtfulIn(plan.policy, { ...plan.ledger, open: { slot: open.slot, attempts } })
    const slots = pushSlot(plan.ledger.slots, close())
    return { ...plan.ledger, open: null, ...(doubtful.length === 0 ? {} : { doubtful }), slots }
  }
  wake.push(...waiting.map(({ until }) => until))
  return { ...plan.ledger, open: { slot: open.slot, attempts } }
}

/** What somebody asked for is tried once; it stands beside the schedule's slots. */
function recordAsked(
  known: PolicyLedger,
  closed: ReturnType<typeof closedSlot>,
  waiting: SlotPlan['waiting'],
  unseen: string[],
): PolicyLedger {
  const outcome = waiting.length > 0 ? 'failed' : closed.outcome
  const doubtful = [...(known.doubtful ?? []), ...unseen]
  return {
    ...known,
    ...(doubtful.length === 0 ? {} : { doubtful }),
    slots: pushSlot(known.slots, { ...closed, outcome, reason: closed.reason ?? 'asked for' }),
  }
}

/** `unseen`: perhaps it began, and nobody knows how it ended. One that still runs is seen running. */
function whatNow(outcome: Outcome): { reason: string; again: boolean; unseen: boolean } {
  if (outcome.state === 'refused') {
    const refusal = classify(outcome.error)
    const unseen = refusal === 'unknown' && outcome.error.code !== 'running'
    return { reason: describe(outcome.error), again: mayRetry(refusal), unseen }
  }
  if (outcome.state === 'unknown') return { reason: outcome.reason, again: true, unseen: true }
  return { reason: 'another snapshot of the same instance failed before it', again: true, unseen: false }
}

/** Replicas that nobody asked about for a month are forgotten; Incus has their marks. */
const keptCopies = (before: Ledger, now: Date): Record<string, CopyLedger> =>
  Object.fromEntries(
    Object.entries(before.copies).filter(
      ([, { at }]) => now.getTime() - new Date(at).getTime() < 30 * 86_400_000,
    ),
  )

function recordCopy(copies: Record<string, CopyLedger>, before: Ledger, outcome: Outcome, now: Date): void {
  const { action } = outcome
  if (action.kind === 'verify' && outcome.state !== 'done') {
    // What isn't marked isn't verified: leave it as it was, so that the next tick verifies again.
    const known = before.copies[action.key] ?? copies[action.key]
    if (known !== undefined) copies[action.key] = { ...known, state: 'running' }
  }
  if (action.kind === 'copy') copies[action.key] = started(action, copies[action.key], outcome, now)
}

function started(action: CopyAction, known: CopyLedger | undefined, outcome: Outcome, now: Date): CopyLedger {
  const base = {
    ...(known?.newest === undefined ? {} : { newest: known.newest }),
    job: action.job,
    memo: { through: action.through, extended: action.extended },
    attempts: known?.attempts ?? 0,
    at: now.toISOString(),
  }
  if (outcome.state === 'done') return { ...base, state: 'started' }
  if (outcome.state === 'refused' && outcome.error.code !== 'locked') {
    const attempts = base.attempts + 1
    return {
      ...base,
      state: 'failed',
      attempts,
      reason: describe(outcome.error),
      retryAt: retryCopyAt(attempts, now),
    }
  }
  // Perhaps it was started: the next observation shows it running, or not.
  return { ...base, state: 'started' }
}
