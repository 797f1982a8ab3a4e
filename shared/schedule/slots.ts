/**
 * Which slots a schedule has between two instants: the one place that knows cron-parser. It walks
 * the wall clock as if it were UTC, and the zone is ours: in a zone, cron-parser's answer on a DST
 * night depends on where the walk began (a restart inside the repeated hour fires twice, one inside
 * the landing hour never), and in Australia/Lord_Howe it can fail outright.
 */

import { CronExpression, CronExpressionParser, type CronFieldCollection } from 'cron-parser'
import { own } from '../own.ts'
import { err, ok, type Result } from '../result.ts'
import { aliases } from './aliases.ts'
import { openZone, type Zone } from './zone.ts'

export { isTimezone } from './zone.ts'

type Span = { schedule: readonly string[]; timezone: string; after: Date }

/** Further than any wall clock strays from UTC plus any jump it ever made. */
const REACH = 2 * 86_400_000

const parsed = new Map<string, CronFieldCollection>()

const fieldsOf = (expression: string): CronFieldCollection => {
  const known = parsed.get(expression)
  if (known !== undefined) return known
  const { fields } = CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: new Date(0) })
  parsed.set(expression, fields)
  return fields
}

/** The values of each field of an expression that `parseSchedule` gave. */
export function readFields(
  expression: string,
): Record<'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek', number[]> {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = fieldsOf(expression)
  const numbers = ({ values }: { values: readonly (number | string)[] }): number[] => values.map(Number)
  return {
    minute: numbers(minute),
    hour: numbers(hour),
    dayOfMonth: numbers(dayOfMonth),
    month: numbers(month),
    dayOfWeek: numbers(dayOfWeek),
  }
}

/**
 * Takes 5-field cron expressions and Incus's aliases, one or several, also in Incus's own form
 * "@daily, 0 12 * * *" (comma and space). Gives distinct 5-field expressions.
 */
export function parseSchedule(text: string | readonly string[]): Result<string[], string> {
  const parts = (typeof text === 'string' ? [text] : text).flatMap((part) => part.trim().split(/,\s+/))
  if (parts.length === 0) return err(expected('', 'it is empty'))
  const expressions = new Set<string>()
  for (const part of parts) {
    const expression = own(aliases, part.toLowerCase()) ?? part.trim().replace(/\s+/g, ' ')
    const problem = problemOf(expression)
    if (problem !== null) return err(expected(part, problem))
    expressions.add(expression)
  }
  return ok([...expressions])
}

const expected = (got: string, problem: string): string =>
  `expected a cron expression of 5 fields (minute hour day-of-month month day-of-week) or one of ${Object.keys(aliases).join(' ')}, got "${got}": ${problem}`

function problemOf(expression: string): string | null {
  if (expression === '') return 'it is empty'
  if (/^(CRON_)?TZ=/i.test(expression)) return 'set the time zone in "timezone", not in the expression'
  if (expression.startsWith('@')) return 'there is no such alias here'
  const count = expression.split(' ').length
  if (count === 6) return 'it has 6 fields, and seconds are not supported'
  if (count !== 5) return `it has ${count} field${count === 1 ? '' : 's'}`
  if (/\bh(?![a-z])/i.test(expression)) return 'H is not supported, use jitter to spread instances'
  try {
    CronExpression.fieldsToExpression(fieldsOf(expression), { tz: 'UTC', currentDate: new Date(0) }).next()
    return null
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}

/**
 * The slots in (after, until], ascending and distinct over all expressions, the earliest `limit` of
 * them; `more` when there are others. A slot is a whole minute in UTC.
 */
export function dueSlots(span: Span & { until: Date; limit: number }): { slots: Date[]; more: boolean } {
  const until = span.until.getTime()
  const found = new Set<number>()
  for (const expression of span.schedule) {
    // Mostly none is due yet, and that is known.
    if (firstAfter(expression, span.timezone, span.after.getTime()) > until) continue
    let taken = 0
    for (const slot of walk(expression, openZone(span.timezone), span.after.getTime())) {
      if (slot > until) break
      found.add(slot)
      taken += 1
      if (taken > span.limit) break
    }
  }
  const slots = [...found].sort((a, b) => a - b).map((slot) => new Date(slot))
  return { slots: slots.slice(0, span.limit), more: slots.length > span.limit }
}

/** The first slot after an instant; null for a schedule without expressions. */
export function nextSlot(span: Span): Date | null {
  const after = span.after.getTime()
  const firsts = span.schedule.map((expression) => firstAfter(expression, span.timezone, after))
  const earliest = Math.min(...firsts)
  return Number.isFinite(earliest) ? new Date(earliest) : null
}

/** What was found: from `after` until just before `slot`, the next one is `slot`. */
type Gap = { after: number; slot: number }

/** By expression and zone, the last few: a tick asks the same again and again, and the next tick mostly, too. */
const gaps = new Map<string, Gap[]>()
const REMEMBERED = 8

/** Infinite: there is none. */
function firstAfter(expression: string, timezone: string, after: number): number {
  const key = `${expression} ${timezone}`
  const known = gaps.get(key) ?? []
  const gap = known.find((one) => one.after <= after && after < one.slot)
  if (gap !== undefined) return gap.slot
  const slot = walk(expression, openZone(timezone), after).next().value ?? Number.POSITIVE_INFINITY
  const others = known.filter((one) => one.slot !== slot)
  gaps.set(key, [{ after, slot }, ...others.slice(0, REMEMBERED - 1)])
  return slot
}

const MINUTE = 60_000

/** The last slot in (after, until]; null: there is none. However long that span is, few slots are walked. */
export function latestSlot(span: Span & { until: Date }): Date | null {
  const until = span.until.getTime()
  const nextWithin = (instant: number): number | null => {
    const slot = nextSlot({ ...span, after: new Date(instant) })?.getTime() ?? null
    return slot !== null && slot <= until ? slot : null
  }
  const floor = span.after.getTime()
  /** Later than this there is none. */
  let above = until
  let latest: number | null = null
  for (let reach = 60 * MINUTE; latest === null; reach *= 2) {
    const from = Math.max(until - reach, floor)
    latest = nextWithin(from)
    if (latest === null && from === floor) return null
    if (latest === null) above = from
  }
  while (above - latest >= MINUTE) {
    const middle = Math.floor((latest + above) / 2)
    const later = nextWithin(middle)
    if (later === null) above = middle
    else latest = later
  }
  return new Date(latest)
}

/**
 * The instants of one expression after `after`, ascending, without end. Near a change of the clock
 * walls and instants come in different orders, so an instant waits until no later wall can precede it.
 */
function* walk(expression: string, zone: Zone, after: number): Generator<number, undefined> {
  const fields = fieldsOf(expression)
  const everyHour = fields.hour.values.length === 24
  const lowest = Math.min(...[-REACH, 0, REACH].map((away) => zone.offsetAt(after + away)))
  const cron = CronExpression.fieldsToExpression(fields, { tz: 'UTC', currentDate: new Date(after + lowest) })
  let waiting = new Set<number>()
  for (;;) {
    const wall = cron.next().getTime()
    for (const instant of instantsOf(wall, zone, everyHour)) if (instant > after) waiting.add(instant)
    const settled = wall - Math.max(zone.offsetAt(wall - REACH), zone.offsetAt(wall + REACH))
    const ready = [...waiting].filter((instant) => instant <= settled)
    if (ready.length === 0) continue
    waiting = new Set([...waiting].filter((instant) => instant > settled))
    yield* ready
  }
}

/**
 * When the wall clock shows this. A time the clock skips runs as much later as it skipped, a time it
 * shows twice runs the first time only; but what runs every hour goes by elapsed hours: nothing
 * instead of the skipped one, and both of the repeated ones.
 */
function instantsOf(wall: number, zone: Zone, everyHour: boolean): number[] {
  const before = zone.offsetAt(wall - REACH)
  const after = zone.offsetAt(wall + REACH)
  if (before === after) return [wall - before]
  const shown = [wall - before, wall - after].filter((instant) => instant + zone.offsetAt(instant) === wall)
  if (everyHour) return shown
  return [shown[0] ?? wall - before]
}
