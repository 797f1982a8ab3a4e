/** Which slot of a policy is to be served now, and how each other one is accounted for. */
import type { OpenSlot, PolicyLedger, SlotRecord } from '../../ledger/ledger.ts'
import { pushSlot } from '../../ledger/slots.ts'
import { minuteOf } from '../../schedule/moment.ts'
import { dueSlots, latestSlot, nextSlot } from '../../schedule/slots.ts'
import { type When, whenOf } from './begin.ts'
import { everywhere } from './first.ts'

/** At most so many slots are walked per policy and tick. */
export const WALK = 1000

/** A slot that is over, and the next one: what was taken before that is its. */
export type Passed = { open: OpenSlot; before: string }

export type Advance = {
  ledger: PolicyLedger
  /** The open slot that a newer one pushed aside, and passed ones that were taken all the same; the caller closes them with what it observed. */
  superseded: Passed[]
}

const iso = (date: Date): string => date.toISOString()

/**
 * Walks from the last accounted slot to now. At most one slot, the newest, is left to serve, however many
 * there were. `observed` are the slots that a snapshot was seen of: what the ledger has lost was not missed.
 * `until`: later slots are another schedule's.
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
  const beyond = more ? (nextSlot({ ...policy, after: slots.at(-1) ?? newest }) ?? newest) : newest
  const next = (at: number): string => passed[at + 1] ?? iso(beyond)
  const seen = passed.length === 0 ? [] : observed().map(iso).sort()
  const taken = takenIn(passed, next, seen)
  const rested = restOver(policy, wasPaused === true, before.accounted, now)
  const gaps = gapsIn(passed, taken, rested).map((gap) => missedRun(gap, rested, before.accounted))
  const uncounted = more ? restOf(policy, slots, newest, seen, rested) : []
  const found = passed.flatMap((slot, at): Passed[] =>
    taken.has(slot) ? [{ open: { slot, attempts: {} }, before: next(at) }] : [],
  )
  const pushed = before.open === null ? [] : [{ open: before.open, before: passed[0] ?? iso(newest) }]
  const records = [...gaps, ...uncounted].reduce(pushSlot, before.slots)
  const base = { ...before, accounted: iso(newest), open: null, slots: records }
  const late = lateness(policy.catchup, policy.paused || rested(iso(newest)), newest, now)
  const ledger =
    late === null
      ? { ...base, open: { slot: iso(newest), attempts: {} } }
      : { ...base, slots: pushSlot(base.slots, late) }
  return { ledger, superseded: [...pushed, ...found] }
}

/** Whether a slot lay in a pause. */
type Rested = (slot: string) => boolean

/**
 * A pause that the last look found ends when somebody said so; where nobody knows when, with this minute. One
 * that no look has found yet counts from its beginning.
 */
function restOver({ paused, pause }: When, wasPaused: boolean, accounted: string, now: Date): Rested {
  const from = pause?.at ?? ''
  const until = pause?.until ?? ''
  if (!wasPaused) return (slot) => slot >= from && (paused || slot < until)
  const end = until > accounted ? until : iso(minuteOf(now))
  return (slot) => paused || slot < end
}

/** The slots of which something was taken before the next one came: by its name, or late. Both are sorted. */
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

/** The runs of slots between those that were taken, each either within a pause or without. */
function gapsIn(passed: readonly string[], taken: ReadonlySet<string>, rested: Rested): string[][] {
  const gaps: string[][] = [[]]
  for (const slot of passed) {
    const last = gaps.at(-1)?.at(-1)
    if (taken.has(slot)) gaps.push([])
    else if (last !== undefined && rested(last) !== rested(slot)) gaps.push([slot])
    else gaps.at(-1)?.push(slot)
  }
  return gaps.filter((gap) => gap.length > 0)
}

/** Those beyond the walk are told of as one; of none, where something was taken after all: the notes are behind. */
function restOf(
  policy: When,
  walked: readonly Date[],
  newest: Date,
  seen: readonly string[],
  rested: Rested,
): SlotRecord[] {
  const end = walked.at(-1) ?? newest
  const first = nextSlot({ ...policy, after: end })
  const last = latestSlot({ ...policy, after: end, until: new Date(newest.getTime() - 1) })
  if (first === null || last === null || first >= newest) return []
  if (seen.some((slot) => slot >= iso(first) && slot < iso(newest))) return []
  const span = { slot: iso(first), through: iso(last) }
  const many = 'too many to count'
  const ends = [span.slot, span.through].map(rested)
  if (ends.every((one) => one)) return [{ ...span, outcome: 'skipped', reason: `${PAUSED}; ${many}` }]
  const why = ends.some((one) => one) ? 'no tick came in time, or it was paused' : 'no tick came in time'
  return [{ ...span, outcome: 'missed', reason: `${why}; ${many}` }]
}

function closeWhenPaused(policy: When, before: PolicyLedger): PolicyLedger {
  if (!policy.paused || before.open === null) return before
  const record: SlotRecord = { slot: before.open.slot, outcome: 'skipped', reason: PAUSED }
  // A first snapshot is owed until the pause is over.
  const owing = before.open.first === true ? { owing: everywhere(policy) } : {}
  return { ...before, ...owing, open: null, slots: pushSlot(before.slots, record) }
}

const PAUSED = 'the policy is paused'

function missedRun(slots: string[], rested: Rested, since: string): SlotRecord {
  const [first = '', last = first] = [slots[0], slots.at(-1)]
  const span = slots.length > 1 ? { through: last, count: slots.length } : {}
  if (rested(first)) return { slot: first, ...span, outcome: 'skipped', reason: PAUSED }
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
