import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dueSlots, nextSlot, parseSchedule } from '../../../shared/schedule/slots.ts'
import { wallOf } from './wall-clock.ts'

const iso = (slots: Date[]): string[] => slots.map((slot) => slot.toISOString().replace(':00.000Z', 'Z'))

const due = (schedule: string | string[], timezone: string, after: string, until: string, limit = 10_000) =>
  dueSlots({
    schedule: [schedule].flat(),
    timezone,
    after: new Date(after),
    until: new Date(until),
    limit,
  })

describe('parseSchedule', () => {
  test.each([
    ['five fields', '0 3 * * *', ['0 3 * * *']],
    ['spaces around and between', '  0  3 * *  * ', ['0 3 * * *']],
    ['commas in fields', '0,30 1,13 * * mon,fri', ['0,30 1,13 * * mon,fri']],
    ['names with an h in them', '0 3 * MAR THU', ['0 3 * MAR THU']],
    ['an alias', '@hourly', ['0 * * * *']],
    ['an alias in capitals', '@Daily', ['0 0 * * *']],
    ['@midnight', '@midnight', ['0 0 * * *']],
    ['@weekly', '@weekly', ['0 0 * * 0']],
    ['@monthly', '@monthly', ['0 0 1 * *']],
    ['@annually', '@annually', ['0 0 1 1 *']],
    ['@yearly', '@yearly', ['0 0 1 1 *']],
    [
      'a list as Incus writes it',
      '@daily, 30 12 * * 1,3, @hourly',
      ['0 0 * * *', '30 12 * * 1,3', '0 * * * *'],
    ],
    ['a list of texts', ['@daily', '0 0 * * *', '0 12 * * *'], ['0 0 * * *', '0 12 * * *']],
    ['a leap day', '0 0 29 2 *', ['0 0 29 2 *']],
    ['a day that some months lack', '0 0 31 * *', ['0 0 31 * *']],
  ])('takes %s', (_, text, expressions) => {
    expect(parseSchedule(text)).toEqual({ ok: true, value: expressions })
  })

  test.each([
    ['nothing', '', 'it is empty'],
    ['only spaces', '   ', 'it is empty'],
    ['an empty list', [], 'it is empty'],
    ['a comma at the end', '@daily, ', 'got "@daily,"'],
    ['four fields', '0 3 * *', 'it has 4 fields'],
    ['seconds', '0 0 3 * * *', 'it has 6 fields, and seconds are not supported'],
    ['seven fields', '0 0 3 * * * *', 'it has 7 fields'],
    ['a list without spaces', '@daily,@weekly', 'there is no such alias here'],
    ['@startup', '@startup', 'there is no such alias here'],
    ['@never', '@never', 'there is no such alias here'],
    ['@every', '@every 1h', 'there is no such alias here'],
    ['an alias of cron-parser only', '@minutely', 'there is no such alias here'],
    ['H', 'H 3 * * *', 'H is not supported'],
    ['H with a range', 'H(0-29)/10 * * * *', 'H is not supported'],
    ['H as a weekday', '0 3 * * h', 'H is not supported'],
    ['30 February', '0 0 30 2 *', 'Invalid explicit day of month'],
    ['31 April or June', '0 0 31 4,6 *', 'Invalid explicit day of month'],
    ['minute 60', '60 * * * *', 'got value 60 expected range 0-59'],
    ['a word', 'never ever at all please', 'Invalid characters'],
    ['one bad of several', ['@daily', '0 25 * * *'], 'got "0 25 * * *"'],
  ])('refuses %s', (_, text, problem) => {
    const parsed = parseSchedule(text)
    expect(parsed).toMatchObject({ ok: false, error: expect.stringContaining(problem) })
    expect(parsed).toMatchObject({ error: expect.stringContaining('expected a cron expression of 5 fields') })
  })
})

describe('dueSlots', () => {
  test('leaves out where it begins and takes in where it ends', () => {
    const { slots, more } = due('0 * * * *', 'UTC', '2026-11-22T03:00Z', '2026-11-22T05:00Z')
    expect(iso(slots)).toEqual(['2026-11-22T04:00Z', '2026-11-22T05:00Z'])
    expect(more).toBe(false)
  })

  test('merges several expressions, each slot once', () => {
    const { slots } = due(['0 */2 * * *', '0 */3 * * *'], 'UTC', '2026-11-22T00:00Z', '2026-11-22T06:30Z')
    expect(iso(slots)).toEqual([
      '2026-11-22T02:00Z',
      '2026-11-22T03:00Z',
      '2026-11-22T04:00Z',
      '2026-11-22T06:00Z',
    ])
  })

  test('stops at the limit with the earliest, and says that there are more', () => {
    const schedule = ['0 */2 * * *', '0 */3 * * *']
    const cut = due(schedule, 'UTC', '2026-11-22T00:00Z', '2026-11-22T06:00Z', 3)
    expect(iso(cut.slots)).toEqual(['2026-11-22T02:00Z', '2026-11-22T03:00Z', '2026-11-22T04:00Z'])
    expect(cut.more).toBe(true)
    expect(due(schedule, 'UTC', '2026-11-22T00:00Z', '2026-11-22T06:00Z', 4).more).toBe(false)
    expect(due('0 * * * *', 'UTC', '2026-11-22T00:00Z', '2026-11-22T02:00Z', 1).more).toBe(true)
    expect(due('0 * * * *', 'UTC', '2026-11-22T00:00Z', '2026-11-22T02:00Z', 2).more).toBe(false)
  })

  test('finds a slot from a moment before it, to the millisecond', () => {
    const before = due('0 3 * * *', 'Europe/Berlin', '2026-11-22T01:59:59.999Z', '2026-11-22T02:00Z')
    expect(iso(before.slots)).toEqual(['2026-11-22T02:00Z'])
    expect(due('0 3 * * *', 'Europe/Berlin', '2026-11-22T02:00Z', '2026-11-22T02:00:59Z').slots).toEqual([])
  })

  test.each([
    ['Europe/Berlin', '2025-12-31T23:00Z', '2026-12-31T23:00Z'],
    ['America/New_York', '2026-01-01T05:00Z', '2027-01-01T05:00Z'],
    ['UTC', '2026-01-01T00:00Z', '2027-01-01T00:00Z'],
  ])('an hourly year in %s has 8760 slots, one an hour', (timezone, after, until) => {
    const { slots } = due('0 * * * *', timezone, after, until)
    expect(slots).toHaveLength(8760)
    expect(
      new Set(slots.map((slot, at) => slot.getTime() - (slots[at - 1] ?? new Date(after)).getTime())),
    ).toEqual(new Set([3_600_000]))
  })

  test('a daily year has 365 slots, also at times that a night skips or repeats', () => {
    for (const expression of ['30 2 * * *', '0 3 * * *', '30 1 * * *', '59 23 * * *'])
      expect(due(expression, 'Europe/Berlin', '2025-12-31T23:00Z', '2026-12-31T23:00Z').slots).toHaveLength(
        365,
      )
  })
})

describe('on nights when the clock changes', () => {
  test.each([
    [
      'Berlin skips 2:30: once, an hour later',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      '2026-03-29T12:00Z',
      ['2026-03-29T01:30Z'],
    ],
    [
      'Berlin repeats 2:30: once, the first',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      '2026-10-25T12:00Z',
      ['2026-10-25T00:30Z'],
    ],
    [
      'New York skips 2:30: once, an hour later',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      '2026-03-08T12:00Z',
      ['2026-03-08T07:30Z'],
    ],
    [
      'New York repeats 1:30: once, the first',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      '2026-11-01T12:00Z',
      ['2026-11-01T05:30Z'],
    ],
    [
      'a skipped and the landing hour fall together',
      '30 2,3 * * *',
      'America/New_York',
      '2026-03-08T00:00Z',
      '2026-03-08T12:00Z',
      ['2026-03-08T07:30Z'],
    ],
    [
      'a later slot of the landing hour keeps its order',
      '30,10 2,3 * * *',
      'America/New_York',
      '2026-03-08T00:00Z',
      '2026-03-08T12:00Z',
      ['2026-03-08T07:10Z', '2026-03-08T07:30Z'],
    ],
    [
      'hourly runs in both hours',
      '0 * * * *',
      'America/New_York',
      '2026-11-01T04:30Z',
      '2026-11-01T07:00Z',
      ['2026-11-01T05:00Z', '2026-11-01T06:00Z', '2026-11-01T07:00Z'],
    ],
    [
      'hourly does not run for the skipped hour',
      '30 * * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      '2026-03-29T02:00Z',
      ['2026-03-29T00:30Z', '2026-03-29T01:30Z'],
    ],
    [
      'Lord Howe skips half an hour',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T12:00Z',
      '2026-10-04T12:00Z',
      ['2026-10-03T15:45Z'],
    ],
    [
      'Lord Howe repeats half an hour',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T12:00Z',
      '2026-04-05T12:00Z',
      ['2026-04-04T14:45Z'],
    ],
    [
      'Lord Howe, every 20 minutes through the repeated half',
      '*/20 * * * *',
      'Australia/Lord_Howe',
      '2026-04-04T14:30Z',
      '2026-04-04T15:45Z',
      ['2026-04-04T14:40Z', '2026-04-04T15:10Z', '2026-04-04T15:30Z'],
    ],
    [
      'Lord Howe, hourly',
      '0 * * * *',
      'Australia/Lord_Howe',
      '2026-04-04T12:30Z',
      '2026-04-04T16:30Z',
      ['2026-04-04T13:00Z', '2026-04-04T14:00Z', '2026-04-04T15:30Z', '2026-04-04T16:30Z'],
    ],
    [
      'Apia lost a day, whose slot and the next one fall together',
      '0 3 * * *',
      'Pacific/Apia',
      '2011-12-29T00:00Z',
      '2012-01-01T00:00Z',
      ['2011-12-29T13:00Z', '2011-12-30T13:00Z', '2011-12-31T13:00Z'],
    ],
  ])('%s', (_, expression, timezone, after, until, slots) => {
    expect(iso(due(expression, timezone, after, until).slots)).toEqual(slots)
  })

  test.each([
    ['30 2 * * *', 'America/New_York', '2026-03-08T00:00Z', '2026-03-09T00:00Z'],
    ['50,10 2,3 * * *', 'Europe/Berlin', '2026-03-29T00:00Z', '2026-03-29T03:00Z'],
    ['30 1 * * *', 'America/New_York', '2026-11-01T00:00Z', '2026-11-02T00:00Z'],
    ['*/7 * * * *', 'America/New_York', '2026-11-01T02:00Z', '2026-11-01T10:00Z'],
    ['*/7 1-3 * * *', 'America/New_York', '2026-11-01T02:00Z', '2026-11-01T10:00Z'],
    ['*/7 1-3 * * *', 'America/New_York', '2026-03-08T04:00Z', '2026-03-08T10:00Z'],
    ['*/7 * * * *', 'Australia/Lord_Howe', '2026-04-04T12:00Z', '2026-04-04T18:00Z'],
    ['*/7 1,2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z', '2026-10-03T18:00Z'],
  ])(
    '%s in %s: wherever a walk begins, ends or is cut, it finds the same',
    (expression, timezone, after, until) => {
      const all = due(expression, timezone, after, until).slots
      expect(all.length).toBeGreaterThan(0)
      for (let limit = 1; limit < all.length; limit++)
        expect(iso(due(expression, timezone, after, until, limit).slots)).toEqual(iso(all.slice(0, limit)))
      for (let at = Date.parse(after); at < Date.parse(until); at += 120_000) {
        const rest = due(expression, timezone, new Date(at).toISOString(), until).slots
        expect(iso(rest)).toEqual(iso(all.filter((slot) => slot.getTime() > at)))
        const start = due(expression, timezone, after, new Date(at).toISOString()).slots
        expect(iso(start)).toEqual(iso(all.filter((slot) => slot.getTime() <= at)))
      }
    },
  )
})

describe('against every minute', () => {
  const field = (min: number, max: number) =>
    fc.oneof(
      fc.integer({ min, max }).map(String),
      fc.uniqueArray(fc.integer({ min, max }), { minLength: 2, maxLength: 4 }).map((list) => list.join(',')),
      fc.integer({ min: 2, max: 12 }).map((step) => `*/${step}`),
    )

  const nights = fc.constantFrom(
    ['UTC', '2026-03-28'],
    ['Europe/Berlin', '2026-03-28'],
    ['Europe/Berlin', '2026-10-24'],
    ['America/New_York', '2026-03-07'],
    ['America/New_York', '2026-10-31'],
    ['Australia/Lord_Howe', '2026-04-04'],
    ['Australia/Lord_Howe', '2026-10-03'],
    ['Asia/Kolkata', '2026-12-31'],
  )

  type Shown = { instant: number; wall: number }

  /** Every minute of the two days after a date. */
  const minutes = (timezone: string, date: string): Shown[] =>
    Array.from({ length: 2880 }, (_, at) => Date.parse(date) + (at + 1) * 60_000).map((instant) => ({
      instant,
      wall: wallOf(timezone, instant),
    }))

  const matches = (pattern: string, value: number): boolean =>
    pattern === '*' ||
    (pattern.startsWith('*/')
      ? value % Number(pattern.slice(2)) === 0
      : pattern.split(',').map(Number).includes(value))

  const runsAt = (expression: string, wall: number): boolean => {
    const [minute = '', hour = '', , , weekday = ''] = expression.split(' ')
    const date = new Date(wall)
    return (
      matches(minute, date.getUTCMinutes()) &&
      matches(hour, date.getUTCHours()) &&
      matches(weekday, date.getUTCDay())
    )
  }

  const found = (expression: string, timezone: string, date: string): number[] =>
    due(expression, timezone, date, new Date(Date.parse(date) + 2 * 86_400_000).toISOString()).slots.map(
      (slot) => slot.getTime(),
    )

  test('a schedule of every hour runs exactly at the minutes whose wall clock matches', () => {
    fc.assert(
      fc.property(field(0, 59), field(0, 6), nights, (minute, weekday, [timezone = '', date = '']) => {
        const expression = `${minute} * * * ${weekday}`
        const matching = minutes(timezone, date).filter(({ wall }) => runsAt(expression, wall))
        expect(found(expression, timezone, date)).toEqual(matching.map(({ instant }) => instant))
      }),
      { numRuns: 40 },
    )
  })

  test('a schedule of some hours runs at each wall time once: the first it is shown, or as late as it was skipped', () => {
    fc.assert(
      fc.property(field(0, 59), field(0, 23), nights, (minute, hour, [timezone = '', date = '']) => {
        const expression = `${minute} ${hour} * * *`
        const expected = new Set<number>()
        let latest: number | null = null
        for (const { instant, wall } of minutes(timezone, date)) {
          latest ??= wall - 60_000
          for (let skipped = latest + 60_000; skipped < wall; skipped += 60_000)
            if (runsAt(expression, skipped)) expected.add(instant - 60_000 + (skipped - latest))
          if (wall > latest && runsAt(expression, wall)) expected.add(instant)
          latest = Math.max(latest, wall)
        }
        expect(found(expression, timezone, date)).toEqual([...expected].sort((a, b) => a - b))
      }),
      { numRuns: 60 },
    )
  })
})

describe('nextSlot', () => {
  const next = (schedule: string[], timezone: string, after: string) =>
    nextSlot({ schedule, timezone, after: new Date(after) })?.toISOString() ?? null

  test.each([
    [
      'the earliest of several',
      ['0 4 * * *', '0 3 * * *'],
      'Europe/Berlin',
      '2026-11-22T00:00Z',
      '2026-11-22T02:00:00.000Z',
    ],
    [
      'a leap day years ahead',
      ['0 0 29 2 *'],
      'Europe/Berlin',
      '2026-11-22T00:00Z',
      '2028-02-28T23:00:00.000Z',
    ],
    ['the last Friday', ['0 0 * * 5L'], 'UTC', '2026-11-22T00:00Z', '2026-11-27T00:00:00.000Z'],
    ['none without expressions', [], 'UTC', '2026-11-22T00:00Z', null],
  ])('%s', (_, schedule, timezone, after, slot) => {
    expect(next(schedule, timezone, after)).toBe(slot)
  })

  test('is the first of the due', () => {
    const after = '2026-10-24T00:00Z'
    const [first] = due('*/13 1-3 * * *', 'Europe/Berlin', after, '2026-11-01T00:00Z').slots
    expect(next(['*/13 1-3 * * *'], 'Europe/Berlin', after)).toBe(first?.toISOString())
  })

  test.each([
    ['0 * * * *', 'Europe/Berlin', '2026-10-24T00:00Z'],
    ['*/13 1-3 * * *', 'Europe/Berlin', '2026-10-24T00:00Z'],
    ['30 2 * * *', 'America/New_York', '2026-03-07T00:00Z'],
    ['15 1,2 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00Z'],
    ['0 3 * * *', 'UTC', '2026-11-22T00:00Z'],
  ])('of %s in %s is the same whatever was asked before', (expression, timezone, start) => {
    const from = Date.parse(start)
    const after = fc.integer({ min: 0, max: 2880 }).map((minutes) => from + minutes * 60_000)
    const beside = fc.tuple(after, fc.constantFrom(-1, 0, 1)).map(([instant, more]) => instant + more)
    fc.assert(
      fc.property(fc.array(beside, { minLength: 1, maxLength: 40 }), (instants) => {
        for (const instant of instants) {
          const at = new Date(instant).toISOString()
          const [first] = due(expression, timezone, at, '2027-01-01T00:00Z', 1).slots
          expect(next([expression], timezone, at)).toBe(first?.toISOString())
          // The moment of a slot itself.
          const slot = first?.toISOString() ?? ''
          const [second] = due(expression, timezone, slot, '2027-01-01T00:00Z', 1).slots
          expect(next([expression], timezone, slot)).toBe(second?.toISOString())
        }
      }),
      { numRuns: 10 },
    )
  })
})
