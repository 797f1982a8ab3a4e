/** Durations of the within rules: calendar years, months and days, and hours, in restic's form. */
import { own } from '../own.ts'
import { err, ok, type Result } from '../result.ts'
import type { Zone } from '../schedule/zone.ts'

export type Within = { y: number; m: number; d: number; h: number }

const UNITS = ['y', 'm', 'd', 'h'] as const

/** "2y5m7d3h", units in any order, each once; all zero means no rule, as in restic. */
export function parseWithin(text: string): Result<Within, string> {
  const within: Partial<Within> = {}
  const trimmed = text.trim()
  if (!/^(?:\d+[a-z])+$/i.test(trimmed)) return err(expected(text, 'numbers and units must alternate'))
  for (const [, digits = '', letter = ''] of trimmed.matchAll(/(\d+)(\D)/g)) {
    const unit = UNITS.find((one) => one === letter)
    if (unit === undefined)
      return err(expected(text, `there is no unit ${letter}${own(HINTS, letter) ?? ''}`))
    if (within[unit] !== undefined) return err(expected(text, `${unit} is there twice`))
    if (digits.length > 5) return err(expected(text, `${digits}${unit} is too long`))
    within[unit] = Number(digits)
  }
  return ok({ y: 0, m: 0, d: 0, h: 0, ...within })
}

const HINTS: Record<string, string> = { w: ' (a week is 7d)', M: ' (m is months)', H: ' (h is hours)' }

const expected = (got: string, problem: string): string =>
  `expected a duration of years, months, days and hours like "2y5m7d3h", got "${got}": ${problem}`

export const isZero = (within: Within): boolean => UNITS.every((unit) => within[unit] === 0)

/** In one order, whatever the order it was written in. */
export const renderWithin = (within: Within): string =>
  UNITS.map((unit) => (within[unit] === 0 ? '' : `${within[unit]}${unit}`)).join('')

/**
 * The instant so long before another on the wall clock of a zone, hours in elapsed time. A day that
 * a month lacks runs over into the next; a wall time that the clock skips or shows twice goes the
 * way it goes in restic.
 */
export function reachBack(from: number, within: Within, zone: Zone): number {
  const wall = new Date(from + zone.offsetAt(from))
  wall.setUTCFullYear(
    wall.getUTCFullYear() - within.y,
    wall.getUTCMonth() - within.m,
    wall.getUTCDate() - within.d,
  )
  const shown = wall.getTime()
  return shown - zone.offsetAt(shown - zone.offsetAt(shown)) - within.h * 3_600_000
}
