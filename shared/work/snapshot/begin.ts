/**
 * Where a policy's accounts begin: without any, or under a schedule that was changed. What nobody noted is
 * not told of as missed, and a schedule has no past.
 */
import { expiresAt } from '../../incus/expiry.ts'
import { LEEWAY } from '../../ledger/beat.ts'
import type { PolicyLedger } from '../../ledger/ledger.ts'
import type { Policy } from '../../policy/policy.ts'
import { minuteOf } from '../../schedule/moment.ts'
import { isTimezone, latestSlot, nextSlot, parseSchedule } from '../../schedule/slots.ts'
import { everywhere, type Sight } from './first.ts'
import { isLate, spreadOf, TWO_TICKS } from './late.ts'

export type When = Pick<
  Policy,
  'schedule' | 'timezone' | 'catchup' | 'jitter' | 'paused' | 'pause' | 'expiry' | 'select'
>

const ZONE = / (\S+)$/

export const whenOf = ({ schedule, timezone }: When): string => `${schedule.join(', ')} ${timezone}`

/** The policy under the schedule that was noted; null: it can't be told. */
function under(policy: When, when: string): When | null {
  const schedule = parseSchedule(when.replace(ZONE, ''))
  const [, timezone = ''] = ZONE.exec(when) ?? []
  return schedule.ok && isTimezone(timezone) ? { ...policy, schedule: schedule.value, timezone } : null
}

/** What is noted of a policy, or what its accounts begin with. */
export function knownOf(
  policy: When,
  noted: PolicyLedger | undefined,
  see: () => Sight,
  now: Date,
): PolicyLedger {
  if (noted === undefined) return begin(policy, see(), now)
  const { since } = noted
  const ahead = new Date(now.getTime() + LEEWAY).toISOString()
  if (since !== undefined && since <= ahead) return noted
  const sight = see()
  // A clock was ahead when that was noted, or is behind now: what can't be looked at may be older than it.
  if (since !== undefined && sight.unseen.length > 0) return noted
  return { ...noted, since: sinceOf(now, sight, now) }
}

export type Change = {
  /** Until then the policy was under its former schedule. */
  at: Date
  /** Null: which one that was can't be told. */
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

/** Under the new schedule accounts go on where it was changed. */
export function beginAnew(policy: When, ledger: PolicyLedger, { at }: Change, now: Date): PolicyLedger {
  // The tick of a slot in this very minute may be the first to see the change.
  const recently = Math.min(now.getTime() - TWO_TICKS * 1000, minuteOf(at).getTime() - 1)
  const accounted = new Date(Math.max(Date.parse(ledger.accounted), recently)).toISOString()
  return { ...ledger, accounted, owing: everywhere(policy) }
}

/** At the newest slot, so that who lacks it gets it; where no snapshot was ever taken, with a first one. */
function begin(policy: When, sight: Sight, now: Date): PolicyLedger {
  const after = new Date(now.getTime() - policy.catchup * 1000 - 1)
  const latest = latestSlot({ ...policy, after, until: now })
  const taken = sight.observed.length > 0
  const past = latest !== null && isPast(policy, latest, now)
  const known = taken || sight.unseen.length > 0
  const takes = latest !== null && !past && (known || isTimely(policy, latest, now))
  const accounted = takes && latest !== null ? new Date(latest.getTime() - 1000) : now
  const ledger: PolicyLedger = {
    accounted: accounted.toISOString(),
    since: sinceOf(accounted, sight, now),
    open: null,
    slots: [],
  }
  if (past) return ledger
  const owing = !policy.paused && (takes || taken) ? [...sight.unseen] : everywhere(policy)
  return owing.length === 0 ? ledger : { ...ledger, owing }
}

const isTimely = (policy: When, slot: Date, now: Date): boolean =>
  !isLate(spreadOf(policy, slot, nextSlot({ ...policy, after: now })), slot, now)

/**
 * Later than every slot that a snapshot was seen of: how those were made, nobody saw. While not all can be
 * looked at, nothing is vouched for that may be there already.
 */
function sinceOf(accounted: Date, { observed, unseen }: Sight, now: Date): string {
  const from = unseen.length === 0 ? minuteOf(accounted) : new Date(minuteOf(now).getTime() + 60_000)
  const since = observed.reduce((latest, slot) => Math.max(latest, slot.getTime() + 1), from.getTime())
  return new Date(since).toISOString()
}

/** Had it been taken, Incus would have expired it by now: that there is none says nothing. */
const isPast = ({ expiry }: When, slot: Date, now: Date): boolean =>
  expiry !== null && expiresAt(expiry, slot) <= now
