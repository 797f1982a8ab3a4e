/** Records slots after a run: what was taken, what is retried, and which slots are over. */
import { classify, describe, hasUnknownOutcome, mayRetry } from '../../incus/refusal.ts'
import { subjectKey } from '../../incus/subject.ts'
import { failAttempt } from '../../ledger/attempts.ts'
import type { Attempt, Ledger, OpenSlot, PolicyLedger } from '../../ledger/ledger.ts'
import { isObject } from '../../ledger/parts.ts'
import { closedSlot, pushSlot } from '../../ledger/slots.ts'
import { unknownIn } from '../../ledger/unseen.ts'
import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import { partialsIn } from '../../plan/partials.ts'
import type { SlotPlan } from '../../plan/plan.ts'
import type { Recorded, RunResult } from '../kind.ts'
import type { SnapshotAction } from './action.ts'

export function recordSlots(before: Ledger, result: RunResult): Recorded {
  const { plan } = result
  const accounts = plan.slots.map((slot) => ({ slot, ...accountFor(slot, before, result) }))
  return {
    policies: {
      ...(plan.requested ? before.policies : {}),
      ...Object.fromEntries(accounts.map(({ slot, policy }) => [slot.policy, policy])),
    },
    wake: accounts.flatMap(({ wake }) => wake),
  }
}

/** `wake`: when its open slot is due again. */
type Account = { policy: PolicyLedger; wake: string[] }

function accountFor(slot: SlotPlan, before: Ledger, { outcomes, plan, now }: RunResult): Account {
  const { open } = slot.ledger
  const known = own(before.policies, slot.policy)
  if (open === null) return { policy: plan.requested ? (known ?? slot.ledger) : slot.ledger, wake: [] }
  const tries = triesOf(slot, open, outcomes, now)
  const { attempts, waiting } = tries
  const paused = { ...open.paused, ...tries.paused }
  const record = closedSlot(open.slot, {
    served: tries.served.length,
    failures: tries.failures,
    empty: slot.empty,
    remark: remarkOf(slot, open, tries.remarks),
    paused,
  })
  if (plan.requested) {
    const unseen = unknownIn(slot.policy, { slot: open.slot, attempts })
    const policy = asRequested(known ?? { ...slot.ledger, open: null }, record, waiting.length > 0, unseen)
    return { policy, wake: [] }
  }
  if (waiting.length > 0) {
    const made = { ...open.made, ...tries.made }
    const remarks = [...new Set([...(open.remarks ?? []), ...tries.remarks])]
    const rest = {
      ...(remarks.length === 0 ? {} : { remarks }),
      ...(Object.keys(made).length === 0 ? {} : { made }),
      ...(Object.keys(paused).length === 0 ? {} : { paused }),
    }
    return {
      policy: { ...slot.ledger, open: { ...open, attempts, ...rest } },
      wake: waiting.map(({ until }) => until),
    }
  }
  const partial = partialsIn(slot.policy, { ...slot.ledger, open: { ...open, attempts } })
  const slots = pushSlot(slot.ledger.slots, record)
  return {
    policy: { ...slot.ledger, open: null, ...(partial.length === 0 ? {} : { partial }), slots },
    wake: [],
  }
}

type Tries = Pick<SlotPlan, 'served' | 'waiting'> & {
  failures: SlotPlan['failed']
  attempts: Record<string, Attempt>
  /** Snapshots made for it, by instance key. */
  made: Record<string, string>
  /** Seconds that instances stood still for them, likewise. */
  paused: Record<string, number>
  /** What the relay says of groups that it took all the same. */
  remarks: string[]
}

function remarkOf({ remark }: SlotPlan, { remarks = [] }: OpenSlot, told: readonly string[]): string | null {
  const all = [...new Set([...(remark === null ? [] : [remark]), ...remarks, ...told])]
  return all.length === 0 ? null : all.join('; ')
}

/** The plan's findings with the outcomes of its snapshots. */
function triesOf(
  { policy, served, waiting, failed, until }: SlotPlan,
  open: OpenSlot,
  outcomes: readonly Outcome[],
  now: Date,
): Tries {
  const mine = outcomes.filter(isSnapshot).filter(({ action }) => action.policy === policy)
  const done = mine.filter(({ state }) => state === 'done').map(({ action }) => action)
  const fresh = mine.flatMap((outcome) => {
    if (outcome.state === 'done') return []
    const key = subjectKey(outcome.action.ref)
    const { reason, again, unseen } = whatNow(outcome)
    const last = (again || outcome.action.possible === true) && until !== null ? new Date(until) : null
    const attempt = failAttempt(own(open.attempts, key), reason, now, last)
    return [{ key, attempt: unseen ? { ...attempt, unseen, name: outcome.action.name } : attempt }]
  })
  const ended = new Set(done.map(({ ref }) => subjectKey(ref)))
  return {
    served: [...served, ...ended],
    waiting: [
      ...waiting,
      ...fresh.flatMap(({ key, attempt: { retryAt } }) =>
        retryAt === undefined ? [] : [{ instance: key, until: retryAt }],
      ),
    ],
    failures: [
      ...failed,
      ...fresh.flatMap(({ key, attempt: { retryAt, reason } }) =>
        retryAt === undefined ? [{ instance: key, reason }] : [],
      ),
    ],
    // The unknown outcome of an earlier try is settled by a success.
    attempts: Object.fromEntries([
      ...Object.entries(open.attempts).filter(([key]) => !ended.has(key)),
      ...fresh.map(({ key, attempt }) => [key, attempt] as const),
    ]),
    made: Object.fromEntries(done.map(({ ref, name }) => [subjectKey(ref), name])),
    paused: Object.fromEntries(mine.flatMap((outcome) => pausedBy(outcome))),
    remarks: mine.flatMap((outcome) => remarksBy(outcome)),
  }
}

/** As the relay says of a group. */
const remarksBy = (outcome: Outcome<SnapshotAction>): string[] =>
  outcome.state === 'done' && isObject(outcome.reply) && typeof outcome.reply.remark === 'string'
    ? [outcome.reply.remark]
    : []

/** As the relay says of a group. */
function pausedBy(outcome: Outcome<SnapshotAction>): [string, number][] {
  if (outcome.state !== 'done' || !isObject(outcome.reply) || !isObject(outcome.reply.paused)) return []
  const key = subjectKey(outcome.action.ref)
  const seconds = own(outcome.reply.paused, key)
  return typeof seconds === 'number' && seconds >= 0 ? [[key, seconds]] : []
}

const isSnapshot = (outcome: Outcome): outcome is Outcome<SnapshotAction> =>
  outcome.action.kind === 'snapshot'

/** A requested snapshot is tried once, and recorded among the slots of the schedule. */
function asRequested(
  known: PolicyLedger,
  closed: ReturnType<typeof closedSlot>,
  isWaiting: boolean,
  unseen: readonly string[],
): PolicyLedger {
  const outcome = isWaiting ? 'failed' : closed.outcome
  const partial = [...(known.partial ?? []), ...unseen]
  return {
    ...known,
    ...(partial.length === 0 ? {} : { partial }),
    slots: pushSlot(known.slots, { ...closed, outcome, reason: closed.reason ?? 'requested' }),
  }
}

/** `unseen`: it may have begun, and its outcome is unknown. */
function whatNow(outcome: Outcome): { reason: string; again: boolean; unseen: boolean } {
  if (outcome.state === 'refused') {
    const { error } = outcome
    return { reason: describe(error), again: mayRetry(classify(error)), unseen: hasUnknownOutcome(error) }
  }
  if (outcome.state === 'unknown') return { reason: outcome.reason, again: true, unseen: true }
  return { reason: 'an earlier snapshot of the same instance failed', again: true, unseen: false }
}
