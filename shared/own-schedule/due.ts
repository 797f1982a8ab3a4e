/** When Incus should take its own snapshots of one subject, and which of these moments it served. All in milliseconds. */
import { dueSlots, nextSlot } from '../schedule/slots.ts'
import type { Alias, Form } from './form.ts'

/** `from`: a snapshot that is older isn't of this slot. `start`: the instance was started then. */
export type Due = { slot: number; from: number; start?: true }

export type Seen = {
  form: Form
  /** The server's own zone, as milliseconds to add to UTC. */
  offset: number
  /** When its own snapshots were taken, oldest first. */
  taken: readonly number[]
  /** When it was started last; null: never, or that isn't known. */
  started: number | null
}

export const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** It fires in the minute before the slot; dates are cut to the second. */
const EARLY = MINUTE + 2000
/** So much later a large batch may still date one. */
const LATE = 15 * MINUTE
/** The snapshot of a start is taken before the start itself. */
const STARTING = 30 * MINUTE
/** Of one expression. */
const MOST = 500

/** In (after, until], oldest first; each moment once, as Incus takes one for all that is due then. */
export function dueBetween(seen: Seen, after: number, until: number): Due[] {
  const { form, offset, started } = seen
  const at = new Map<number, Due>()
  const exact = [...form.crons, ...form.aliases.flatMap((alias) => learned(alias, seen) ?? [])]
  for (const slot of walk(exact, offset, after, until)) at.set(slot, { slot, from: slot - EARLY })
  for (const alias of form.aliases.filter((one) => learned(one, seen) === null))
    for (const slot of walk([alias.cron], offset, after, until))
      if (!at.has(slot)) at.set(slot, { slot, from: slot - alias.span - EARLY })
  if (form.startup && started !== null && started > after && started <= until)
    at.set(started, { slot: started, from: started - STARTING, start: true })
  return [...at.values()].sort((a, b) => a.slot - b.slot)
}

/** The first after that moment; null: only a start brings one. */
export function nextDue(seen: Seen, after: number): number | null {
  const { form, offset } = seen
  const schedule = [...form.crons, ...form.aliases.map((alias) => learned(alias, seen) ?? alias.cron)]
  const next = nextSlot({ schedule, timezone: 'UTC', after: new Date(after + offset) })
  return next === null ? null : next.getTime() - offset
}

function walk(schedule: readonly string[], offset: number, after: number, until: number): number[] {
  const span = { after: new Date(after + offset), until: new Date(until + offset), limit: MOST }
  return dueSlots({ ...span, schedule, timezone: 'UTC' }).slots.map((slot) => slot.getTime() - offset)
}

/**
 * An alias's own time, by two snapshots that are whole periods apart; null: not known yet, so that its slots are the
 * ends of the hours or days in which it has one.
 */
function learned(alias: Alias, { form, taken, offset }: Seen): string | null {
  // Others' snapshots would teach it a time that isn't its own.
  if (form.crons.length > 0 || form.aliases.length > 1 || form.startup) return null
  const step = alias.hourly === true ? HOUR : 24 * HOUR
  const newest = taken.slice(-10).reverse()
  for (const [index, later] of newest.entries()) {
    const earlier = newest.slice(index + 1).find((one) => isWhole(later - one, step))
    if (earlier !== undefined) return expressionOf(alias, marks(later, earlier, step) + offset)
  }
  return null
}

const isWhole = (span: number, step: number): boolean =>
  span > step / 2 && Math.abs(span - Math.round(span / step) * step) <= MINUTE

/** The minute after the earlier of both, by their places in the period: a large batch dates one late. */
function marks(later: number, earlier: number, step: number): number {
  const shifted = earlier + Math.round((later - earlier) / step) * step
  return (Math.floor(Math.min(later, shifted) / MINUTE) + 1) * MINUTE
}

function expressionOf({ hourly, days }: Alias, local: number): string {
  const at = new Date(local)
  return `${at.getUTCMinutes()} ${hourly === true ? '*' : at.getUTCHours()} ${days}`
}

/** Which of them have a snapshot; each snapshot serves one. */
export function servedOf(dues: readonly Due[], taken: readonly number[]): Set<number> {
  const free = [...taken]
  const served = new Set<number>()
  const serve = (slot: number, fits: (at: number) => boolean): void => {
    const index = free.findIndex(fits)
    if (index < 0) return
    free.splice(index, 1)
    served.add(slot)
  }
  // Windows take what no exact moment takes.
  const narrow = dues.toSorted((a, b) => a.slot - a.from - (b.slot - b.from) || a.slot - b.slot)
  for (const { slot, from } of narrow) serve(slot, (at) => at >= from && at < slot)
  for (const { slot, from } of narrow)
    if (!served.has(slot)) serve(slot, (at) => at >= from && at < slot + LATE)
  // When the server's clock was put forward or back since its zone was seen.
  for (const { slot } of dues)
    if (!served.has(slot))
      serve(slot, (at) => [-HOUR, HOUR].some((away) => Math.abs(at - slot - away + MINUTE / 2) <= EARLY))
  return served
}
