/** Which slot of a policy is to be served now, and how every other slot is recorded. */
import type { OpenSlot, PolicyLedger, SlotRecord } from '../../ledger/ledger.ts'
import { pushSlot } from '../../ledger/slots.ts'
import { minuteOf } from '../../schedule/moment.ts'
import { dueSlots, latestSlot, nextSlot } from '../../schedule/slots.ts'
import { type When, whenOf } from './begin.ts'
import { everywhere } from './first.ts'

/** At most so many slots are walked per policy and tick. */
export const WALK = 1000

/** A slot that is over, and the next slot: snapshots taken before that belong to it. */
export type Passed = { open: OpenSlot; before: string }

export type Advance = {
  ledger: PolicyLedger
  /** Slots that newer ones replaced, of which snapshots exist or were tried; the caller records them. */
  superseded: Passed[]
}

const iso = (date: Date): string => date.toISOString()

/**
 * Walks from the last accounted slot to now. At most one slot, the newest, is left to serve, however many
 * there were. `observed`: slots of existing snapshots, so that a lost ledger doesn't make them missed.
 * `until`: later slots belong to another schedule.
 */
export function advance(
  policy: When,
  noted: PolicyLedger,
  now: Date,
  observed: () => readonly Date[],
  until: Date = now,
): Advance {
  const { paused: wasPaused, ...rest } = noted
  const before: PolicyLedger = { ...rest, when: whenOf(policy), ...(policy.paused ? { paused: true } : {}) }
  const span = { ...policy, after: new Date(before.accounted), until }
  const { slots, more } = dueSlots({ ...span, limit: WALK })
  const newest = more ? latestSlot(span) : slots.at(-1)
  if (newest == null) return { ledger: closeWhenPaused(policy, before), superseded: [] }
  const passed = (more ? slots : slots.slice(0, -1)).map(iso)
  const following = more ? (nextSlot({ ...policy, after: slots.at(-1) ?? newest }) ?? newest) : newest
  const next = (at: number): string => passed[at + 1] ?? iso(following)
  const seen = passed.length === 0 ? [] : observed().map(iso).sort()
  const taken = takenIn(passed, next, seen)
  const inPause = pausesOf(policy, wasPaused === true, before.accounted, now)
  const gaps = gapsIn(passed, taken, inPause).map((gap) => missedRun(gap, inPause, before.accounted))
  const uncounted = more ? uncountedSlots(policy, slots, newest, seen, inPause) : []
  const found = passed.flatMap((slot, at): Passed[] =>
    taken.has(slot) ? [{ open: { slot, attempts: {} }, before: next(at) }] : [],
  )
  const pushed = before.open === null ? [] : [{ open: before.open, before: passed[0] ?? iso(newest) }]
  const records = [...gaps, ...uncounted].reduce(pushSlot, before.slots)
  const base = { ...before, accounted: iso(newest), open: null, slots: records }
  const late = lateness(policy.catchup, policy.paused || inPause(iso(newest)), newest, now)
  const ledger =
    late === null
      ? { ...base, open: { slot: iso(newest), attempts: {} } }
      : { ...base, slots: pushSlot(base.slots, late) }
  return { ledger, superseded: [...pushed, ...found] }
}

/** Whether a slot lies in a pause. */
type InPause = (slot: string) => boolean

/**
 * A pause that the last observation found ends at its given time; if that isn't known, with this minute. A
 * pause that no observation has found yet counts from its beginning.
 */
function pausesOf({ paused, pause }: When, wasPaused: boolean, accounted: string, now: Date): InPause {
  const from = pause?.at ?? ''
  const until = pause?.until ?? ''
  if (!wasPaused) return (slot) => slot >= from && (paused || slot < until)
  const end = until > accounted ? until : iso(minuteOf(now))
  return (slot) => paused || slot < end
}

/** Slots of which a snapshot was taken before the next slot, in time or late. Both lists are sorted. */
function takenIn(
  passed: readonly string[],
  next: (at: number) => string,
  seen: readonly string[],
): Set<string> {
  let from = 0
  return new Set(
    passed.filter((slot, at) => {
      while ((seen[from] ?? slot) < slot) from += 1
      const first = seen[from]
      return first !== undefined && first < next(at)
    }),
  )
}

/** The ranges of slots that weren't taken, split where a pause begins or ends. */
function gapsIn(passed: readonly string[], taken: ReadonlySet<string>, inPause: InPause): string[][] {
  const gaps: string[][] = [[]]
  for (const slot of passed) {
    const last = gaps.at(-1)?.at(-1)
    if (taken.has(slot)) gaps.push([])
    else if (last !== undefined && inPause(last) !== inPause(slot)) gaps.push([slot])
    else gaps.at(-1)?.push(slot)
  }
  return gaps.filter((gap) => gap.length > 0)
}

/**
 * Slots beyond the limit are recorded as one range; not at all if snapshots of them exist, as the ledger is
 * stale then.
 */
function uncountedSlots(
  policy: When,
  walked: readonly Date[],
  newest: Date,
  seen: readonly string[],
  inPause: InPause,
): SlotRecord[] {
  const end = walked.at(-1) ?? newest
  const first = nextSlot({ ...policy, after: end })
  const last = latestSlot({ ...policy, after: end, until: new Date(newest.getTime() - 1) })
  if (first === null || last === null || first >= newest) return []
  if (seen.some((slot) => slot >= iso(first) && slot < iso(newest))) return []
  const span = { slot: iso(first), through: iso(last) }
  const many = 'too many to count'
  const ends = [span.slot, span.through].map(inPause)
  if (ends.every((one) => one)) return [{ ...span, outcome: 'skipped', reason: `${PAUSED}; ${many}` }]
  const why = ends.some((one) => one) ? 'no tick came in time, or it was paused' : 'no tick came in time'
  return [{ ...span, outcome: 'missed', reason: `${why}; ${many}` }]
}

function closeWhenPaused(policy: When, before: PolicyLedger): PolicyLedger {
  if (!policy.paused || before.open === null) return before
  const record: SlotRecord = { slot: before.open.slot, outcome: 'skipped', reason: PAUSED }
  // A first snapshot is owed after the pause.
  const owing = before.open.first === true ? { owing: everywhere(policy) } : {}
  return { ...before, ...owing, open: null, slots: pushSlot(before.slots, record) }
}

const PAUSED = 'the policy is paused'

function missedRun(slots: string[], inPause: InPause, since: string): SlotRecord {
  const [first = '', last = first] = [slots[0], slots.at(-1)]
  const span = slots.length > 1 ? { through: last, count: slots.length } : {}
  if (inPause(first)) return { slot: first, ...span, outcome: 'skipped', reason: PAUSED }
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
