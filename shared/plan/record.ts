/** The ledger after a run: the old one, what the plan learned, and what came of its actions. */

import { instanceKey } from '../incus/inventory.ts'
import { classify, describe, endsUnseen, mayRetry } from '../incus/refusal.ts'
import { HEARTBEAT, LONGEST_SLEEP } from '../ledger/ahead.ts'
import { failAttempt } from '../ledger/attempts.ts'
import { type Ledger, type PolicyLedger, RUN_RECORDS, type RunRecord } from '../ledger/ledger.ts'
import { closedSlot, pushSlot } from '../ledger/slots.ts'
import { unseenIn } from '../ledger/unseen.ts'
import { own } from '../own.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { copiesAfter } from './copies-record.ts'
import { doubtfulIn } from './doubtful.ts'
import type { Outcome } from './jobs.ts'
import type { Plan, SlotPlan } from './plan.ts'
import { restoresAfter } from './restores-record.ts'
import { isPending } from './thaws.ts'
import { frozenAfter } from './thaws-record.ts'

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

export function record(before: Ledger, happened: Happened): Recorded {
  const { plan, outcomes, run, config, now } = happened
  const wake = plan.asked ? [...plan.wake, before.wakeAt] : [...plan.wake]
  const policies = {
    ...(plan.asked ? before.policies : {}),
    ...Object.fromEntries(plan.slots.map((slot) => [slot.policy, accountFor(slot, before, happened, wake)])),
  }
  const copies = copiesAfter(before, plan, outcomes, now)
  const restores = restoresAfter(before, plan, outcomes, now)
  const frozen = frozenAfter(plan, outcomes, now)
  const runs = run === null ? before.runs : [run, ...before.runs].slice(0, RUN_RECORDS)
  const sleep = new Date(now.getTime() + LONGEST_SLEEP).toISOString()
  if (Object.values(frozen).some(isPending)) wake.push(minutesFrom(now, 1))
  const wakeAt = [sleep, ...wake].sort()[0] ?? sleep
  const noted = {
    ...(Object.keys(restores).length === 0 ? {} : { restores }),
    ...(Object.keys(frozen).length === 0 ? {} : { frozen }),
    ...(plan.sight === undefined ? {} : { sight: plan.sight }),
  }
  const ledger: Ledger = { config, wakeAt, written: now.toISOString(), policies, copies, ...noted, runs }
  return { ledger, changed: isNews(before, ledger, now) }
}

/** Waking a minute later is not news as long as the old note makes every tick look; that one looked is, now and then. */
function isNews(before: Ledger, after: Ledger, now: Date): boolean {
  if (before.written === undefined || now.getTime() - Date.parse(before.written) >= HEARTBEAT) return true
  const soon = new Date(now.getTime() + 90_000).toISOString()
  const staysAwake = before.wakeAt <= now.toISOString() && after.wakeAt <= soon
  if (!staysAwake && before.wakeAt !== after.wakeAt) return true
  return timeless(before) !== timeless(after)
}

const timeless = ({ wakeAt: _, written: __, ...ledger }: Ledger): string => JSON.stringify(ledger)

function accountFor(
  plan: SlotPlan,
  before: Ledger,
  { outcomes, plan: { asked }, now }: Happened,
  wake: string[],
): PolicyLedger {
  const { open } = plan.ledger
  if (open === null) return asked ? (own(before.policies, plan.policy) ?? plan.ledger) : plan.ledger
  const attempts = { ...open.attempts }
  const made = { ...open.made }
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
      made[key] = action.name
    } else {
      const { reason, again, unseen } = whatNow(outcome)
      const attempt = failAttempt(
        attempts[key],
        reason,
        now,
        again && plan.until !== null ? new Date(plan.until) : null,
      )
      attempts[key] = unseen ? { ...attempt, unseen, name: action.name } : attempt
      if (attempt.retryAt === undefined) failures.push({ instance: key, reason })
      else waiting.push({ instance: key, until: attempt.retryAt })
    }
  }
  const close = () =>
    closedSlot(open.slot, { served: served.length, failures, empty: plan.empty, remark: plan.remark })
  if (asked) {
    const known = own(before.policies, plan.policy) ?? { ...plan.ledger, open: null }
    return recordAsked(known, close(), waiting, unseenIn(plan.policy, { slot: open.slot, attempts }))
  }
  if (waiting.length === 0) {
    const doubtful = doubtfulIn(plan.policy, { ...plan.ledger, open: { ...open, attempts } })
    const slots = pushSlot(plan.ledger.slots, close())
    return { ...plan.ledger, open: null, ...(doubtful.length === 0 ? {} : { doubtful }), slots }
  }
  wake.push(...waiting.map(({ until }) => until))
  return {
    ...plan.ledger,
    open: { ...open, attempts, ...(Object.keys(made).length === 0 ? {} : { made }) },
  }
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

/** `unseen`: perhaps it began, and nobody knows how it ended. */
function whatNow(outcome: Outcome): { reason: string; again: boolean; unseen: boolean } {
  if (outcome.state === 'refused') {
    const { error } = outcome
    return { reason: describe(error), again: mayRetry(classify(error)), unseen: endsUnseen(error) }
  }
  if (outcome.state === 'unknown') return { reason: outcome.reason, again: true, unseen: true }
  return { reason: 'another snapshot of the same instance failed before it', again: true, unseen: false }
}
