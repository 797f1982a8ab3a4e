/**
 * A late snapshot is named after the time at which it is taken and not after its slot. Else retention and
 * people would mistake its data for those of the slot.
 */
import type { Policy } from '../../policy/policy.ts'
import { minuteOf } from '../../schedule/moment.ts'

/** The clock ticks once a minute, and a tick may be missing (seconds). */
export const TWO_TICKS = 120

/** Seconds within which the instances of a slot are spread: it ends a minute before the next slot at the latest. */
export function spreadOf({ jitter }: Pick<Policy, 'jitter'>, slot: Date, next: Date | null): number {
  const room = next === null ? jitter : (next.getTime() - slot.getTime()) / 1000 - 60
  return Math.max(0, Math.min(jitter, room))
}

/** Later than the spread allows. */
export const isLate = (spread: number, slot: Date, now: Date): boolean =>
  now.getTime() - slot.getTime() > (spread + TWO_TICKS) * 1000

const CELL = 5
/** Seconds for which a first snapshot keeps the name of its cell. */
export const FIRST_SPREAD = CELL * 60
/** Minutes at a cell's end in which nothing begins, so that overlapping ticks use the same name. */
const PAUSE = 2

/**
 * The time that a late snapshot is named after: the first minute of a cell of five. Overlapping ticks don't
 * see each other's snapshot, and Incus only lets exactly one win if both use the same name. It may be up to
 * two minutes in the future; then it is waited for.
 */
export function catchupMoment(now: Date): Date {
  const minutes = minuteOf(now).getTime() / 60_000
  const phase = minutes % CELL
  return new Date((phase < CELL - PAUSE ? minutes - phase : minutes - phase + CELL) * 60_000)
}

/** For a first snapshot, without waiting: the present cell, though two ticks at its edge may differ. */
export const firstMoment = (now: Date): Date =>
  new Date(Math.floor(now.getTime() / (CELL * 60_000)) * CELL * 60_000)
