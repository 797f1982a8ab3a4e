/** The picture of a subject's snapshots over time, as numbers: a lane for each place, and one for the slots. */
import type { SlotRecord } from '../ledger/ledger.ts'
import { isUnserved, reasonOf } from '../ledger/slots.ts'
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { nextSlot } from '../schedule/slots.ts'
import { scaleOf, ticksOf } from './scale.ts'
import type { Presence, SnapshotView, SubjectView } from './subject.ts'

export type Mark = {
  x: number
  presence: Presence
  held: boolean
  /** It goes with a run now, or with the next slot. */
  going: boolean
  label: string
}
export type SlotMark = { x: number; state: 'served' | 'bad' | 'skipped' | 'ahead'; label: string }
type Lane = { key: string; marks: Mark[] }

export type Timeline = {
  now: number
  ticks: { x: number; label: string }[]
  lanes: Lane[]
  slots: SlotMark[]
  /** What it shows, for who doesn't see it. */
  summary: string
}

export type Slot = { policy: string; at: string; state: SlotMark['state']; reason: string }

/** Slots ahead, of each policy. */
const AHEAD = 3

/** Behind and ahead of now, the oldest first. `subject`: whose they are, by its key. */
export function slotsOf(
  policies: readonly Policy[],
  records: (policy: string) => readonly SlotRecord[],
  now: Date,
  subject?: string,
): Slot[] {
  const all = policies.flatMap((policy): Slot[] => [
    ...records(policy.name).map((record) => ({
      policy: policy.name,
      at: record.through ?? record.slot,
      state: stateOf(record),
      reason: `${wordsOf(record)}${stillness(record, subject)}`,
    })),
    ...ahead(policy, now).map((at) => ({
      ...{ policy: policy.name, at: at.toISOString(), state: 'ahead' as const, reason: 'to come' },
    })),
  ])
  return all.sort((a, b) => (a.at < b.at ? -1 : 1))
}

function ahead(policy: Policy, now: Date): Date[] {
  const slots: Date[] = []
  if (policy.paused) return slots
  for (let after = now; slots.length < AHEAD; ) {
    const next = nextSlot({ ...policy, after })
    if (next === null) break
    slots.push(next)
    after = next
  }
  return slots
}

const stateOf = (record: SlotRecord): SlotMark['state'] =>
  isUnserved(record) ? 'bad' : record.outcome === 'skipped' ? 'skipped' : 'served'

const wordsOf = (record: SlotRecord): string => {
  const { outcome, count = 1 } = record
  const why = reasonOf(record)
  const many = count === 1 ? outcome : `${count} ${outcome}`
  return why === undefined ? many : `${many}: ${why}`
}

/** It was taken together with its volumes. */
function stillness({ paused }: SlotRecord, subject: string | undefined): string {
  const seconds = subject === undefined ? undefined : own(paused, subject)
  return seconds === undefined ? '' : `, it stood still for ${seconds} s`
}

const HOUR = 3_600_000

export function timelineOf(view: SubjectView, slots: readonly Slot[], now: Date): Timeline {
  const moments = [...view.snapshots, ...slots].map(({ at }) => Date.parse(at))
  const present = now.getTime()
  const oldest = Math.min(present - HOUR, ...view.snapshots.map(({ at }) => Date.parse(at)))
  const span = { from: oldest, to: Math.max(present + HOUR, ...moments), now: present }
  const scale = scaleOf(span)
  const x = (at: string): number => scale(Date.parse(at))
  return {
    now: scale(present),
    ticks: ticksOf(span).map(({ at, label }) => ({ x: scale(at), label })),
    lanes: view.places.map(({ key }) => ({
      key,
      marks: view.snapshots.flatMap((snapshot) => markOf(snapshot, key, x(snapshot.at))),
    })),
    slots: slots
      .filter(({ at }) => Date.parse(at) >= oldest)
      .map(({ policy, at, state, reason }) => ({ x: x(at), state, label: `${policy}, ${at}: ${reason}` })),
    summary: summaryOf(view),
  }
}

function markOf(snapshot: SnapshotView, place: string, x: number): Mark[] {
  const { name, at, held, presence, going } = snapshot
  const here = presence.get(place)
  if (here === undefined) return []
  const goes = going.some((one) => one.place === place && one.when !== 'later')
  return [{ x, presence: here, held, going: goes, label: `${name}, of ${at}, ${here}` }]
}

function summaryOf({ places, snapshots }: SubjectView): string {
  const counted = places.map(({ key }) => {
    const here = snapshots.flatMap(({ presence }) => presence.get(key) ?? [])
    const verified = here.filter((one) => one === 'verified').length
    const how = verified === 0 ? '' : `, ${verified} of them verified`
    return `${key} has ${here.length} snapshots${how}`
  })
  return `${counted.join('; ')}. The table below lists them.`
}
