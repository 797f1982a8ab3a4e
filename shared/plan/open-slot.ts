/** Which slot of a policy is to be served now, and how each other one is accounted for. */
import { expiresAt } from '../incus/expiry.ts'
import type { OpenSlot, PolicyLedger, SlotRecord } from '../ledger/ledger.ts'
import { pushSlot } from '../ledger/slots.ts'
import type { Policy } from '../policy/policy.ts'
import { minuteOf } from '../schedule/moment.ts'
import { dueSlots } from '../schedule/slots.ts'

/** At most so many slots are walked per policy and tick; a longer outage is accounted for over several ticks. */
export const WALK = 1000

export type Advance = {
  ledger: PolicyLedger
  /** Slots remain to be walked: wake again at once. */
  more: boolean
  /** The open slot that a newer one pushed aside, and passed ones that were taken all the same; the caller closes them with what it observed. */
  superseded: OpenSlot[]
}

type When = Pick<Policy, 'schedule' | 'timezone' | 'catchup' | 'paused' | 'expiry'>

const iso = (date: Date): string => date.toISOString()

/**
 * Where accounting begins without a notebook: at the newest slot that the schedule knows and a
 * snapshot was seen of, which is looked at again; else at the newest slot within the catch-up window.
 */
function baseline(policy: When, observed: readonly Date[], now: Date): PolicyLedger {
  const from = (accounted: Date): PolicyLedger => ({
    accounted: iso(accounted),
    since: sinceOf(accounted, observed),
    open: null,
    slots: [],
  })
  const seen = newestScheduled(policy, observed, now)
  if (seen !== null) return from(new Date(seen.getTime() - 1000))
  const latest = latestSlot(policy, now)
  return from(latest === null || isPast(policy, latest, now) ? now : new Date(latest.getTime() - 1000))
}

/** Later than every slot that a snapshot was seen of: how those were made, nobody saw. */
const sinceOf = (accounted: Date, observed: readonly Date[]): string =>
  iso(new Date(Math.max(minuteOf(accounted).getTime(), ...observed.map((slot) => slot.getTime() + 1))))

/** Had it been taken, Incus would have expired it by now: that there is none says nothing. */
const isPast = ({ expiry }: When, slot: Date, now: Date): boolean =>
  expiry !== null && expiresAt(expiry, slot) <= now

function newestScheduled(policy: When, observed: readonly Date[], now: Date): Date | null {
  const newestFirst = [...observed].sort((a, b) => b.getTime() - a.getTime())
  const isSlot = (date: Date) =>
    date <= now &&
    dueSlots({ ...policy, after: new Date(date.getTime() - 1000), until: date, limit: 1 }).slots.length > 0
  return newestFirst.find(isSlot) ?? null
}

/** The newest slot at or before now, within the catch-up window; found forwards, in widening windows. */
function latestSlot(policy: When, now: Date): Date | null {
  for (const hours of [1, 6, 25, Number.POSITIVE_INFINITY]) {
    const seconds = Math.min(hours * 3600, policy.catchup)
    const after = new Date(now.getTime() - seconds * 1000 - 1)
    const found = dueSlots({ ...policy, after, until: now, limit: WALK * 2 }).slots.at(-1)
    if (found !== undefined || seconds === policy.catchup) return found ?? null
  }
  return null
}

/** What is noted of a policy; a new schedule or zone has no past, so its slots can't have been missed. */
export function knownOf(
  policy: When,
  noted: PolicyLedger | undefined,
  observed: () => Date[],
  now: Date,
): PolicyLedger {
  if (noted === undefined) return baseline(policy, observed(), now)
  const since = noted.since ?? sinceOf(now, observed())
  if (noted.when === undefined || noted.when === whenOf(policy)) return { ...noted, since }
  return { ...baseline(policy, [], now), since, slots: noted.slots }
}

const whenOf = ({ schedule, timezone }: When): string => `${schedule.join(', ')} ${timezone}`

/**
 * Walks from the last accounted slot to now. At most one slot, the newest, is left to serve. `observed`
 * are the slots that a snapshot was seen of: what the notebook has lost was not missed.
 */
export function advance(policy: When, noted: PolicyLedger, now: Date, observed: () => Date[]): Advance {
  const { paused: wasPaused, ...rest } = noted
  const before: PolicyLedger = { ...rest, when: whenOf(policy), ...(policy.paused ? { paused: true } : {}) }
  const { slots, more } = dueSlots({ ...policy, after: new Date(before.accounted), until: now, limit: WALK })
  const newest = slots.at(-1)
  if (newest === undefined) return { ledger: closeWhenPaused(policy, before), more: false, superseded: [] }
  const passed = (more ? slots : slots.slice(0, -1)).map(iso)
  const taken = new Set(passed.length === 0 ? [] : observed().map(iso))
  const idle = policy.paused || wasPaused === true
  const gaps = gapsIn(passed, taken).map((gap) => missedRun(gap, idle, before.accounted))
  const found = passed.filter((slot) => taken.has(slot)).map((slot): OpenSlot => ({ slot, attempts: {} }))
  const superseded = before.open === null ? found : [before.open, ...found]
  const base = { ...before, accounted: iso(newest), open: null, slots: gaps.reduce(pushSlot, before.slots) }
  if (more) return { ledger: base, more, superseded }
  const late = lateness(policy.catchup, idle, newest, now)
  const ledger =
    late === null
      ? { ...base, open: { slot: iso(newest), attempts: {} } }
      : { ...base, slots: pushSlot(base.slots, late) }
  return { ledger, more, superseded }
}

/** The runs of slots between those that were taken. */
function gapsIn(passed: readonly string[], taken: ReadonlySet<string>): string[][] {
  const gaps: string[][] = [[]]
  for (const slot of passed) {
    if (taken.has(slot)) gaps.push([])
    else gaps.at(-1)?.push(slot)
  }
  return gaps.filter((gap) => gap.length > 0)
}

function closeWhenPaused(policy: When, before: PolicyLedger): PolicyLedger {
  if (!policy.paused || before.open === null) return before
  const record: SlotRecord = { slot: before.open.slot, outcome: 'skipped', reason: PAUSED }
  return { ...before, open: null, slots: pushSlot(before.slots, record) }
}

const PAUSED = 'the policy is paused'

function missedRun(slots: string[], paused: boolean, since: string): SlotRecord {
  const [first = '', last = first] = [slots[0], slots.at(-1)]
  const span = slots.length > 1 ? { through: last, count: slots.length } : {}
  if (paused) return { slot: first, ...span, outcome: 'skipped', reason: PAUSED }
  const reason = `no tick came in time; the last slot accounted for is ${since}`
  return { slot: first, ...span, outcome: 'missed', reason }
}

function lateness(catchup: number, paused: boolean, slot: Date, now: Date): SlotRecord | null {
  if (paused) return { slot: iso(slot), outcome: 'skipped', reason: PAUSED }
  const late = Math.floor((now.getTime() - slot.getTime()) / 1000)
  // A tick comes up to a minute after its slot; that is in time whatever the catch-up window says.
  if (late <= Math.max(catchup, 119)) return null
  return {
    slot: iso(slot),
    outcome: 'missed',
    reason: `seen ${late} s late, beyond the catch-up window of ${catchup} s`,
  }
}
