/**
 * Where the accounting of a policy's slots begins: of a new policy, or after a changed schedule. Slots before
 * that aren't reported as missed.
 */
import { expiresAt } from '../../incus/expiry.ts'
import { LEEWAY } from '../../ledger/beat.ts'
import type { PolicyLedger } from '../../ledger/ledger.ts'
import type { Policy } from '../../policy/policy.ts'
import { minuteOf } from '../../schedule/moment.ts'
import { isTimezone, latestSlot, nextSlot, parseSchedule } from '../../schedule/slots.ts'
import { everywhere, type ObservedInstances } from './first.ts'
import { isLate, spreadOf, TWO_TICKS } from './late.ts'

export type When = Pick<
  Policy,
  'schedule' | 'timezone' | 'catchup' | 'jitter' | 'paused' | 'pause' | 'expiry' | 'select'
>

const ZONE = / (\S+)$/

export const whenOf = ({ schedule, timezone }: When): string => `${schedule.join(', ')} ${timezone}`

/** The policy with its former schedule; null: that can't be read. */
function under(policy: When, when: string): When | null {
  const schedule = parseSchedule(when.replace(ZONE, ''))
  const [, timezone = ''] = ZONE.exec(when) ?? []
  return schedule.ok && isTimezone(timezone) ? { ...policy, schedule: schedule.value, timezone } : null
}

/** The ledger of a policy, or a new one. */
export function knownOf(
  policy: When,
  noted: PolicyLedger | undefined,
  see: () => ObservedInstances,
  now: Date,
): PolicyLedger {
  if (noted === undefined) return begin(policy, see(), now)
  const { since } = noted
  const ahead = new Date(now.getTime() + LEEWAY).toISOString()
  if (since !== undefined && since <= ahead) return noted
  const sight = see()
  // `since` is in the future by a wrong clock; unreadable instances may have older snapshots, so it stays.
  if (since !== undefined && sight.unreadable.length > 0) return noted
  return { ...noted, since: sinceOf(now, sight, now) }
}

type Change = {
  /** Until then the former schedule applied. */
  at: Date
  /** Null: it can't be read. */
  former: When | null
}

/** Null: the schedule is the noted one. `applied`: when the configuration was, if that is known. */
export function changeOf(
  policy: When,
  { when, accounted }: PolicyLedger,
  applied: string | undefined,
  now: Date,
): Change | null {
  if (when === undefined || when === whenOf(policy)) return null
  const known = applied !== undefined && applied > accounted && applied < now.toISOString()
  return { at: known ? new Date(applied) : now, former: under(policy, when) }
}

/** With the new schedule, accounting goes on at the change. */
export function restartAccounting(
  policy: When,
  ledger: PolicyLedger,
  { at }: Change,
  now: Date,
): PolicyLedger {
  // The tick of a slot in this very minute may be the first to see the change.
  const recently = Math.min(now.getTime() - TWO_TICKS * 1000, minuteOf(at).getTime() - 1)
  const accounted = new Date(Math.max(Date.parse(ledger.accounted), recently)).toISOString()
  return { ...ledger, accounted, owing: everywhere(policy) }
}

/**
 * At the newest slot, so that instances without its snapshot get it; with a first snapshot where none was
 * ever taken.
 */
function begin(policy: When, sight: ObservedInstances, now: Date): PolicyLedger {
  const after = new Date(now.getTime() - policy.catchup * 1000 - 1)
  const latest = latestSlot({ ...policy, after, until: now })
  const taken = sight.observed.length > 0
  const past = latest !== null && isPast(policy, latest, now)
  const known = taken || sight.unreadable.length > 0
  const takes = latest !== null && !past && (known || isTimely(policy, latest, now))
  const accounted = takes && latest !== null ? new Date(latest.getTime() - 1000) : now
  const ledger: PolicyLedger = {
    accounted: accounted.toISOString(),
    since: sinceOf(accounted, sight, now),
    open: null,
    slots: [],
  }
  if (past) return ledger
  const owing = !policy.paused && (takes || taken) ? [...sight.unreadable] : everywhere(policy)
  return owing.length === 0 ? ledger : { ...ledger, owing }
}

const isTimely = (policy: When, slot: Date, now: Date): boolean =>
  !isLate(spreadOf(policy, slot, nextSlot({ ...policy, after: now })), slot, now)

/**
 * Later than the slots of all observed snapshots, because how those were made isn't known. While some can't
 * be read, later than now.
 */
function sinceOf(accounted: Date, { observed, unreadable }: ObservedInstances, now: Date): string {
  const from = unreadable.length === 0 ? minuteOf(accounted) : new Date(minuteOf(now).getTime() + 60_000)
  const since = observed.reduce((latest, slot) => Math.max(latest, slot.getTime() + 1), from.getTime())
  return new Date(since).toISOString()
}

/** Incus would have expired its snapshot by now, so a missing one means nothing. */
const isPast = ({ expiry }: When, slot: Date, now: Date): boolean =>
  expiry !== null && expiresAt(expiry, slot) <= now
