/** The Worker's stand-in for luxon, held against luxon itself: alone, and below cron-parser. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DateTime as StandIn } from '../../../functions/utc-luxon.ts'

type CronParser = typeof import('cron-parser')

const require = createRequire(import.meta.url)
const requireAsParser = createRequire(require.resolve('cron-parser'))
const { DateTime: Luxon } = requireAsParser('luxon') as { DateTime: typeof StandIn }

const ZONE = { zone: 'UTC' }

const instant = fc.date({
  min: new Date('1970-01-01T00:00:00Z'),
  max: new Date('2100-12-31T23:59:59Z'),
  noInvalidDate: true,
})

/** Where months and days begin and end is where it could go wrong. */
const edge = fc
  .tuple(
    fc.integer({ min: 1970, max: 2100 }),
    fc.integer({ min: 0, max: 11 }),
    fc.constantFrom(-43_200_000, -1, 0, 1, 999, 86_399_999),
  )
  .map(([year, month, away]) => new Date(Date.UTC(year, month) + away))

const leapDay = fc
  .tuple(fc.integer({ min: 493, max: 525 }), fc.nat(86_399_999))
  .map(([fourth, time]) => new Date(Date.UTC(fourth * 4, 1, 29) + time))

const anyInstant = fc.oneof(instant, edge, leapDay)

const factsOf = (date: StandIn) => {
  const { year, month, day, weekday, hour, minute, second, millisecond } = date
  const { offset, zoneName, isValid } = date
  const at = { time: date.valueOf(), date: date.toJSDate() }
  return { ...at, year, month, day, weekday, hour, minute, second, millisecond, offset, zoneName, isValid }
}

const UNITS = ['month', 'day', 'hour', 'minute', 'second'] as const

const MOVES: [string, (date: StandIn) => StandIn][] = [
  ...(['years', ...UNITS.map((unit) => `${unit}s` as const)] as const).flatMap(
    (unit): [string, (date: StandIn) => StandIn][] => [
      [`plus one of ${unit}`, (date) => date.plus({ [unit]: 1 })],
      [`minus one of ${unit}`, (date) => date.minus({ [unit]: 1 })],
    ],
  ),
  ...UNITS.flatMap((unit): [string, (date: StandIn) => StandIn][] => [
    [`the start of the ${unit}`, (date) => date.startOf(unit)],
    [`the end of the ${unit}`, (date) => date.endOf(unit)],
  ]),
]

describe('the stand-in says the same as luxon in UTC', () => {
  test('of every instant, from a date and from milliseconds', () => {
    fc.assert(
      fc.property(anyInstant, (date) => {
        expect(factsOf(StandIn.fromJSDate(date, ZONE))).toEqual(factsOf(Luxon.fromJSDate(date, ZONE)))
        const time = date.getTime()
        expect(factsOf(StandIn.fromMillis(time, ZONE))).toEqual(factsOf(Luxon.fromMillis(time, ZONE)))
      }),
    )
  })

  test.each(MOVES)('of %s', (_, move) => {
    fc.assert(
      fc.property(anyInstant, (date) => {
        const ours = move(StandIn.fromJSDate(date, ZONE))
        expect(factsOf(ours)).toEqual(factsOf(move(Luxon.fromJSDate(date, ZONE))))
      }),
    )
  })

  test.each([
    ['hour', 23],
    ['minute', 59],
    ['second', 59],
    ['millisecond', 999],
  ] as const)('of another %s', (unit, max) => {
    fc.assert(
      fc.property(anyInstant, fc.nat(max), (date, value) => {
        const ours = StandIn.fromJSDate(date, ZONE).set({ [unit]: value })
        expect(factsOf(ours)).toEqual(factsOf(Luxon.fromJSDate(date, ZONE).set({ [unit]: value })))
      }),
    )
  })

  test('of a date that is none', () => {
    expect(StandIn.fromJSDate(new Date('?'), ZONE).isValid).toBe(false)
    expect(Luxon.fromJSDate(new Date('?'), ZONE).isValid).toBe(false)
  })
})

/** cron-parser, read anew above this luxon. */
function cronParserOver(luxon: { DateTime: unknown }): CronParser {
  const { cache } = requireAsParser
  const kept = { ...cache }
  const folder = `${dirname(require.resolve('cron-parser'))}${sep}`
  for (const file of Object.keys(cache)) if (file.startsWith(folder)) delete cache[file]
  const entry = cache[requireAsParser.resolve('luxon')]
  if (entry === undefined) throw new Error('luxon was to be loaded by now')
  const { exports } = entry
  try {
    entry.exports = luxon
    return require('cron-parser') as CronParser
  } finally {
    entry.exports = exports
    for (const file of Object.keys(cache)) if (file.startsWith(folder)) delete cache[file]
    Object.assign(cache, kept)
  }
}

const overLuxon = cronParserOver({ DateTime: Luxon })
const overStandIn = cronParserOver({ DateTime: StandIn })

const EXPRESSIONS: [string, string][] = [
  ['every minute', '* * * * *'],
  ['every seventh minute', '*/7 * * * *'],
  ['some minutes of some hours', '5,35 2,14-16 * * *'],
  ['daily', '0 0 * * *'],
  ['the last minute of a day', '59 23 * * *'],
  ['working days', '0 3 * * 1-5'],
  ['Sundays by the other number', '0 3 * * 7'],
  ['month ends', '15 4 L * *'],
  ['month ends and mid-months', '15 4 15,L * *'],
  ['the 31st', '0 0 31 * *'],
  ['leap days', '30 12 29 2 *'],
  ['the last Friday', '0 22 * * 5L'],
  ['the third Tuesday', '0 22 * * 2#3'],
  ['a fifth Monday', '0 22 * * 1#5'],
  ['the 13th or a Friday', '0 0 13 * 5'],
  ['quarters', '0 0 1 */3 *'],
  ['weekdays of one month', '0 6 * DEC MON-FRI'],
  ['new year', '0 0 1 1 *'],
]

const slotsOf = ({ CronExpressionParser }: CronParser, expression: string, currentDate: Date) => {
  const cron = CronExpressionParser.parse(expression, { tz: 'UTC', currentDate })
  return Array.from({ length: 12 }, () => cron.next().getTime())
}

/** From the 31st, with a shorter month ahead; before a leap day, and before a year without one. */
const HARD: [Date][] = [
  [new Date('2024-01-31T12:00:00Z')],
  [new Date('2027-12-31T23:59:30.500Z')],
  [new Date('2100-01-31T00:00:00Z')],
]

describe('cron-parser finds the same slots above either', () => {
  test('as two parsers, each with its own', () => {
    expect(overStandIn.CronExpressionParser).not.toBe(overLuxon.CronExpressionParser)
    const parse = (parser: CronParser) => parser.CronExpressionParser.parse('@daily', { tz: 'Europe/Berlin' })
    expect(() => parse(overLuxon).next()).not.toThrow()
    expect(() => parse(overStandIn).next()).toThrow(/luxon for UTC only/)
  })

  test.each(EXPRESSIONS)('of %s', (_, expression) => {
    fc.assert(
      fc.property(anyInstant, (from) => {
        expect(slotsOf(overStandIn, expression, from)).toEqual(slotsOf(overLuxon, expression, from))
      }),
      { numRuns: 25, examples: HARD },
    )
  })
})

describe('what no walk in UTC takes is refused with words', () => {
  const date = StandIn.fromMillis(0, ZONE)
  test.each([
    ['another zone', () => StandIn.fromMillis(0, { zone: 'Europe/Berlin' })],
    ['no zone, which would be the local one', () => StandIn.fromJSDate(new Date(0), { zone: undefined })],
    ['a move to a zone', () => date.setZone('Europe/Berlin')],
    ['the present', () => StandIn.local()],
    ['a date as text', () => StandIn.fromISO()],
    ['toUTC', () => date.toUTC()],
    ['toJSON', () => date.toJSON()],
    ['set of a day', () => date.set({ day: 2 } as object)],
  ])('%s', (_, use) => {
    expect(use).toThrow(/the Worker has luxon for UTC only, without .+: see functions\/utc-luxon\.ts/)
  })

  test('and cron-parser asks for no more than is known here', () => {
    const source = readFileSync(requireAsParser.resolve('./CronDate.js'), 'utf8')
    const uses = [...source.matchAll(/(?:#date|#getUTC\(\)|luxon_1\.DateTime)\.(\w+)/g)].map(([, use]) => use)
    const unknown = new Set(uses.filter((use) => use !== undefined && !(use in StandIn) && !(use in date)))
    // Texts of other forms are only tried after fromISO, which throws.
    expect([...unknown]).toEqual(['fromRFC2822', 'fromSQL', 'fromFormat', 'fromHTTP'])
    const units = [...source.matchAll(/(?:startOf|endOf)\('(\w+)'\)/g)].map(([, unit]) => unit)
    expect(units.filter((unit) => !UNITS.some((known) => known === unit))).toEqual([])
  })
})
