/**
 * A snapshot that is taken late is named for the moment and not for its slot, or retention would count old
 * data as those of the slot, and people would bring back what they didn't mean.
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

/** Later than the spread explains. */
export const isLate = (spread: number, slot: Date, now: Date): boolean =>
  now.getTime() - slot.getTime() > (spread + TWO_TICKS) * 1000

const CELL = 5
/** Seconds for which a first snapshot keeps the name of the cell that it was decided in. */
export const FIRST_SPREAD = CELL * 60
/** Minutes at a cell's end in which nothing begins: ticks that overlap by less agree on the name. */
const PAUSE = 2

/**
 * The moment that a late snapshot is named for: the minute that begins a cell of five. Two ticks that overlap
 * don't see each other's snapshot, and Incus lets exactly one win only if both mean the same name. It may lie
 * ahead by up to two minutes: then it is waited for.
 */
export function catchupMoment(now: Date): Date {
  const minutes = minuteOf(now).getTime() / 60_000
  const phase = minutes % CELL
  return new Date((phase < CELL - PAUSE ? minutes - phase : minutes - phase + CELL) * 60_000)
}

/** Where nothing was taken yet nobody waits: the cell's own minute, though two that begin at its edge may differ. */
export const firstMoment = (now: Date): Date =>
  new Date(Math.floor(now.getTime() / (CELL * 60_000)) * CELL * 60_000)
