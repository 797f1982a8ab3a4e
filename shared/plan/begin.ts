/**
 * Where a policy's accounts begin: without any, or under a schedule that was changed. What nobody noted is
 * not told of as missed, and a schedule has no past.
 */
import { expiresAt } from '../incus/expiry.ts'
import type { PolicyLedger } from '../ledger/ledger.ts'
import type { Policy } from '../policy/policy.ts'
import { minuteOf } from '../schedule/moment.ts'
import { latestSlot, nextSlot } from '../schedule/slots.ts'
import { firstMoment, isLate, spreadOf, TWO_TICKS } from './late.ts'

export type When = Pick<
  Policy,
  'schedule' | 'timezone' | 'catchup' | 'jitter' | 'paused' | 'pause' | 'expiry'
>

/** What was seen of a policy's instances. */
export type Sight = {
  /** Slots that a snapshot was seen of. */
  observed: readonly Date[]
  /** Not all could be looked at. */
  blind: boolean
  /** Some instance has no snapshot of the policy at all. */
  bare: boolean
}

export const whenOf = ({ schedule, timezone }: When): string => `${schedule.join(', ')} ${timezone}`

/** What is noted of a policy, or what its accounts begin with. */
export function knownOf(
  policy: When,
  noted: PolicyLedger | undefined,
  see: () => Sight,
  now: Date,
): PolicyLedger {
  if (noted === undefined) return begin(policy, see(), now)
  const since = noted.since ?? sinceOf(now, see().observed)
  if (noted.when === undefined || noted.when === whenOf(policy)) return { ...noted, since }
  // The tick of a slot in this very minute may be the first to see the change.
  const recently = now.getTime() - TWO_TICKS * 1000
  const accounted = new Date(Math.max(Date.parse(noted.accounted), recently)).toISOString()
  return withFirst(policy, { ...noted, since, accounted }, see(), now)
}

/** At the newest slot, so that who lacks it gets it; where no snapshot was ever taken, with a first one. */
function begin(policy: When, sight: Sight, now: Date): PolicyLedger {
  const after = new Date(now.getTime() - policy.catchup * 1000 - 1)
  const latest = latestSlot({ ...policy, after, until: now })
  const known = sight.blind || sight.observed.length > 0
  const past = latest !== null && isPast(policy, latest, now)
  const takes = latest !== null && !past && (known || isTimely(policy, latest, now))
  const accounted = takes && latest !== null ? new Date(latest.getTime() - 1000) : now
  const ledger: PolicyLedger = {
    accounted: accounted.toISOString(),
    since: sinceOf(accounted, sight.observed),
    open: null,
    slots: [],
  }
  return takes || known || past ? ledger : withFirst(policy, ledger, sight, now)
}

/** Who has no snapshot of the policy doesn't wait for the next slot: the first one is named for the moment. */
function withFirst(policy: When, ledger: PolicyLedger, { bare }: Sight, now: Date): PolicyLedger {
  if (ledger.open !== null || policy.paused || !bare) return ledger
  // One that is due just now is as good.
  const due = latestSlot({ ...policy, after: new Date(ledger.accounted), until: now })
  if (due !== null) return ledger
  return { ...ledger, open: { slot: firstMoment(now).toISOString(), first: true, attempts: {} } }
}

const isTimely = (policy: When, slot: Date, now: Date): boolean =>
  !isLate(spreadOf(policy, slot, nextSlot({ ...policy, after: now })), slot, now)

/** Later than every slot that a snapshot was seen of: how those were made, nobody saw. */
const sinceOf = (accounted: Date, observed: readonly Date[]): string =>
  new Date(
    observed.reduce((latest, slot) => Math.max(latest, slot.getTime() + 1), minuteOf(accounted).getTime()),
  ).toISOString()

/** Had it been taken, Incus would have expired it by now: that there is none says nothing. */
const isPast = ({ expiry }: When, slot: Date, now: Date): boolean =>
  expiry !== null && expiresAt(expiry, slot) <= now
