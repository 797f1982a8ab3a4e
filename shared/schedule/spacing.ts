/** How far apart the slots of a schedule lie, over some years, however many there are. */
import { dueSlots, readFields } from './slots.ts'
import { openZone } from './zone.ts'

/** Milliseconds between one slot and the next. */
export type Spacing = { longest: number; average: number }

type Times = { schedule: readonly string[]; timezone: string }

const MINUTE = 60_000
const DAY = 86_400_000
/** More than days within nine years, or minutes within the longest day. */
const LIMIT = 10_000
/** Any year: a schedule is much the same in each. */
const FROM = Date.UTC(2026, 0, 1)
/** Years that are walked: one mostly has enough, and February 29 comes within eight. */
const YEARS = [1, 9]

/** Null: there are no two slots within nine years. */
export function spacingOf(times: Times): Spacing | null {
  for (const years of YEARS) {
    const found = spacingWithin(times, FROM + years * 366 * DAY)
    if (found !== null) return found
  }
  return null
}

function spacingWithin(times: Times, until: number): Spacing | null {
  const first: number[] = []
  let [last, slots, longest] = [0, 0, 0]
  for (const [day, minutes] of daysOf(times, until)) {
    const stretch = stretchOf(day, minutes, times)
    if (stretch === null) continue
    longest = Math.max(longest, stretch.longest, first.length === 0 ? 0 : stretch.first - last)
    if (first.length === 0) first.push(stretch.first)
    last = stretch.last
    slots += stretch.slots
  }
  return slots < 2 ? null : { longest, average: (last - (first[0] ?? last)) / (slots - 1) }
}

/** What a day has: its first and its last slot, how many, and the longest time between two of them. */
type Stretch = { first: number; last: number; slots: number; longest: number }

/** By the wall clock, but for days on which that is changed. */
function stretchOf(day: number, minutes: readonly number[], times: Times): Stretch | null {
  const [begins, ends] = [beginOf(day, times), beginOf(day + DAY, times)]
  if (ends - begins === DAY) return stretch(minutes.map((minute) => begins + minute * MINUTE))
  const span = { after: new Date(begins - 1), until: new Date(ends - 1), limit: LIMIT }
  return stretch(dueSlots({ ...times, ...span }).slots.map((slot) => slot.getTime()))
}

/** The instant at which a day of the wall clock begins. */
function beginOf(day: number, { timezone }: Times): number {
  const { offsetAt } = openZone(timezone)
  return day - offsetAt(day - offsetAt(day))
}

function stretch(slots: readonly number[]): Stretch | null {
  const [first, last] = [slots[0], slots.at(-1)]
  if (first === undefined || last === undefined) return null
  const longest = slots.reduce((most, slot, at) => Math.max(most, slot - (slots[at - 1] ?? slot)), 0)
  return { first, last, slots: slots.length, longest }
}

/** The days of the wall clock with slots, in order, and their minutes. */
function daysOf({ schedule }: Times, until: number): [day: number, minutes: number[]][] {
  const days = new Map<number, string[]>()
  for (const expression of schedule)
    for (const day of datesOf(expression, until)) days.set(day, [...(days.get(day) ?? []), expression])
  const known = new Map<string, number[]>()
  return [...days]
    .sort(([one], [other]) => one - other)
    .map(([day, expressions]) => {
      const minutes = known.get(expressions.join()) ?? minutesOf(expressions)
      known.set(expressions.join(), minutes)
      return [day, minutes]
    })
}

function datesOf(expression: string, until: number): number[] {
  const midnight = `0 0 ${expression.split(' ').slice(2).join(' ')}`
  const span = { after: new Date(FROM - 1), until: new Date(until), limit: LIMIT }
  return dueSlots({ schedule: [midnight], timezone: 'UTC', ...span }).slots.map((day) => day.getTime())
}

function minutesOf(expressions: readonly string[]): number[] {
  const all = expressions.flatMap((expression) => {
    const { hour, minute } = readFields(expression)
    return hour.flatMap((hours) => minute.map((minutes) => 60 * hours + minutes))
  })
  return [...new Set(all)].sort((one, other) => one - other)
}
