import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyKeep } from '../../../shared/retention/apply.ts'
import type { Candidate, Keep, Retention } from '../../../shared/retention/keep.ts'
import { keptBy, type Period } from './calendar.ts'
import { goldens, history } from './history.ts'

const taken = (slots: string[], marks: { held?: string[] } = {}): Candidate[] =>
  slots.map((name) => ({ name, slot: new Date(name), held: marks.held?.includes(name) ?? false }))

const apply = (keep: Keep, candidates: Candidate[], timezone = 'UTC', now = '2030-01-01T00:00Z') =>
  applyKeep(keep, { timezone, now: new Date(now), candidates })

const namesOf = (retention: Retention): string[] => retention.keep.map(({ name }) => name)
const reasonsOf = (retention: Retention) =>
  Object.fromEntries(retention.keep.map(({ name, reasons }) => [name, reasons]))

describe('a rule', () => {
  const days = ['2026-11-22T03:00Z', '2026-11-21T15:00Z', '2026-11-21T03:00Z', '2026-11-20T03:00Z']

  test('keeps the newest of each bucket and says which it is', () => {
    expect(apply({ daily: 2 }, taken(days))).toEqual({
      keep: [
        { name: '2026-11-22T03:00Z', reasons: ['daily 1 of 2'] },
        { name: '2026-11-21T15:00Z', reasons: ['daily 2 of 2'] },
      ],
      expire: [
        { name: '2026-11-21T03:00Z', reason: 'no rule keeps it' },
        { name: '2026-11-20T03:00Z', reason: 'no rule keeps it' },
      ],
    })
  })

  test('counts only days that have a snapshot', () => {
    expect(
      namesOf(apply({ daily: 2 }, taken(['2026-11-22T03:00Z', '2026-08-01T03:00Z', '2026-07-31T03:00Z']))),
    ).toEqual(['2026-11-22T03:00Z', '2026-08-01T03:00Z'])
  })

  test('keeps the oldest while there is room, and says so', () => {
    const reasons = reasonsOf(apply({ daily: 7 }, taken(days.slice(0, 3))))
    expect(reasons).toEqual({
      '2026-11-22T03:00Z': ['daily 1 of 7'],
      '2026-11-21T15:00Z': ['daily 2 of 7'],
      '2026-11-21T03:00Z': ['oldest daily 3 of 7'],
    })
  })

  test('of -1 keeps one of every bucket', () => {
    expect(reasonsOf(apply({ daily: -1 }, taken(days)))).toEqual({
      '2026-11-22T03:00Z': ['daily, all'],
      '2026-11-21T15:00Z': ['daily, all'],
      '2026-11-20T03:00Z': ['daily, all'],
    })
  })

  test('of 0 is no rule', () => {
    expect(apply({ daily: 0, last: 1 }, taken(days)).expire).toHaveLength(3)
    expect(apply({ daily: 0, within: '0h' }, taken(days)).expire).toEqual([])
  })

  test('names all its fellows, in one order', () => {
    const keep: Keep = {
      withinYearly: '1y',
      withinMonthly: '1y',
      withinWeekly: '1y',
      withinDaily: '1y',
      withinHourly: '1y',
      within: '1d1y',
      yearly: 1,
      monthly: 2,
      weekly: 3,
      daily: 4,
      hourly: -1,
      last: 6,
    }
    expect(apply(keep, taken(days.slice(0, 1))).keep[0]?.reasons).toEqual([
      'last 1 of 6',
      'hourly, all',
      'daily 1 of 4',
      'weekly 1 of 3',
      'monthly 1 of 2',
      'yearly 1 of 1',
      'within 1y1d',
      'hourly within 1y',
      'daily within 1y',
      'weekly within 1y',
      'monthly within 1y',
      'yearly within 1y',
    ])
  })

  test('of a duration looks back from the newest, and leaves out its very edge', () => {
    const slots = ['2026-11-22T03:00Z', '2026-11-21T03:01Z', '2026-11-21T03:00Z']
    expect(reasonsOf(apply({ within: '1d' }, taken(slots)))).toEqual({
      '2026-11-22T03:00Z': ['within 1d'],
      '2026-11-21T03:01Z': ['within 1d'],
    })
  })

  test('of a duration keeps the oldest too if it is within', () => {
    expect(reasonsOf(apply({ withinDaily: '7d' }, taken(days.slice(0, 3))))).toMatchObject({
      '2026-11-21T03:00Z': ['oldest daily within 7d'],
    })
    expect(namesOf(apply({ withinDaily: '20h' }, taken(days.slice(0, 3))))).toEqual(days.slice(0, 2))
  })

  test('that cannot be read is a bug of whoever let it in', () => {
    expect(() => apply({ within: '2w' }, taken(days))).toThrow('there is no unit w (a week is 7d)')
  })
})

describe('the rails', () => {
  const slots = ['2026-11-22T03:00Z', '2026-11-21T03:00Z', '2026-11-20T03:00Z', '2026-11-19T03:00Z']

  test('an empty keep removes nothing', () => {
    const retention = apply({}, taken(slots))
    expect(retention.expire).toEqual([])
    expect(new Set(retention.keep.flatMap(({ reasons }) => reasons))).toEqual(
      new Set(['no rules, nothing expires']),
    )
  })

  test('what is held stays and takes no place', () => {
    const held = ['2026-11-22T03:00Z', '2026-11-20T03:00Z']
    expect(reasonsOf(apply({ last: 1, within: '1h' }, taken(slots, { held })))).toEqual({
      '2026-11-22T03:00Z': ['held'],
      '2026-11-21T03:00Z': ['last 1 of 1', 'within 1h'],
      '2026-11-20T03:00Z': ['held'],
    })
  })

  test('what lies in the future stays and takes no place', () => {
    const retention = apply({ last: 1, within: '1h' }, taken(slots), 'UTC', '2026-11-21T02:59Z')
    expect(reasonsOf(retention)).toEqual({
      '2026-11-22T03:00Z': ['in the future'],
      '2026-11-21T03:00Z': ['in the future'],
      '2026-11-20T03:00Z': ['last 1 of 1', 'within 1h'],
    })
  })

  test('a slot of this very minute counts', () => {
    expect(reasonsOf(apply({ last: 1 }, taken(slots.slice(0, 1)), 'UTC', '2026-11-22T03:00Z'))).toEqual({
      '2026-11-22T03:00Z': ['last 1 of 1'],
    })
  })

  test('no snapshots, no decisions', () => {
    expect(apply({ daily: 7, within: '1d' }, [])).toEqual({ keep: [], expire: [] })
  })

  test('of equal slots the earlier listed counts as the newer', () => {
    const twins = ['first', 'second', 'third'].map((name) => ({ name, slot: new Date(0), held: false }))
    expect(namesOf(apply({ last: 2 }, twins))).toEqual(['first', 'second'])
  })

  describe('one keep, asked twice in a row, answers anew when', () => {
    const late = ['2026-11-22T03:00Z', '2026-11-21T23:30Z']
    const held = taken(slots, { held: ['2026-11-22T03:00Z'] })
    test.each([
      ['a slot differs', taken(slots), taken([...slots.slice(0, 3), '2026-11-22T02:00Z']), 'UTC', 'UTC', 2],
      ['there are more', taken(slots.slice(0, 1)), taken(slots), 'UTC', 'UTC', 2],
      ['there are fewer', taken(slots), taken(slots.slice(1)), 'UTC', 'UTC', 2],
      ['one is held now', taken(slots), held, 'UTC', 'UTC', 3],
      ['one is no longer held', held, taken(slots), 'UTC', 'UTC', 2],
      ['the zone differs', taken(late), taken(late), 'Asia/Tokyo', 'UTC', 2],
    ])('%s', (_, first, second, before, after, kept) => {
      const keep = { daily: 2 }
      apply(keep, first, before)
      const again = apply(keep, second, after)
      expect(again).toEqual(apply({ ...keep }, second, after))
      expect(again.keep).toHaveLength(kept)
    })

    test('the time has passed', () => {
      const keep = { last: 1 }
      expect(namesOf(apply(keep, taken(slots), 'UTC', '2026-11-20T12:00Z'))).toEqual(slots.slice(0, 3))
      expect(namesOf(apply(keep, taken(slots), 'UTC', '2026-11-21T12:00Z'))).toEqual(slots.slice(0, 2))
    })
  })

  test('alike snapshots of another instance keep their own names', () => {
    const keep = { last: 1 }
    apply(keep, taken(slots))
    const others = taken(slots).map((one) => ({ ...one, name: `other ${one.name}` }))
    expect(namesOf(apply(keep, others))).toEqual(['other 2026-11-22T03:00Z'])
  })
})

describe('buckets follow the wall clock of the zone', () => {
  test.each([
    [
      'Berlin, both 2:30 of the night that has two',
      { hourly: 5 },
      'Europe/Berlin',
      ['2026-10-25T01:30Z', '2026-10-25T00:30Z', '2026-10-24T23:30Z'],
      3,
    ],
    [
      'New York, both 1:30 of the night that has two',
      { hourly: 5 },
      'America/New_York',
      ['2026-11-01T06:30Z', '2026-11-01T05:30Z'],
      2,
    ],
    [
      'Lord Howe, both 1:45 half an hour apart',
      { hourly: -1 },
      'Australia/Lord_Howe',
      ['2026-04-04T15:15Z', '2026-04-04T14:45Z', '2026-04-04T13:45Z'],
      3,
    ],
    [
      'Lord Howe, one hour is one hour',
      { hourly: 1 },
      'Australia/Lord_Howe',
      ['2026-04-05T14:25Z', '2026-04-05T13:35Z'],
      1,
    ],
    [
      'Berlin, a day of 25 hours is one day',
      { daily: 1 },
      'Europe/Berlin',
      ['2026-10-25T22:59Z', '2026-10-24T22:00Z'],
      1,
    ],
    [
      'Berlin, a day of 23 hours is one day',
      { daily: 1 },
      'Europe/Berlin',
      ['2026-03-29T21:59Z', '2026-03-28T23:00Z'],
      1,
    ],
    [
      'Berlin, midnight is not at UTC midnight',
      { daily: 2 },
      'Europe/Berlin',
      ['2026-11-21T23:00Z', '2026-11-21T22:59Z'],
      2,
    ],
    [
      'Berlin, a new year an hour early',
      { yearly: 2, monthly: 2 },
      'Europe/Berlin',
      ['2026-12-31T23:00Z', '2026-12-31T22:59Z'],
      2,
    ],
    ['ISO weeks begin on Monday', { weekly: 2 }, 'UTC', ['2026-11-23T00:00Z', '2026-11-22T23:59Z'], 2],
    ['an ISO week spans New Year', { weekly: 1 }, 'UTC', ['2027-01-03T23:00Z', '2026-12-28T00:00Z'], 1],
    ['weeks before 1970', { weekly: 2 }, 'UTC', ['1969-12-29T00:00Z', '1969-12-28T23:59Z'], 2],
  ])('%s', (_, keep, timezone, slots, kept) => {
    const retention = apply(keep, taken(slots), timezone)
    const opened = retention.keep.filter(
      ({ reasons }) => !reasons.every((reason) => reason.startsWith('oldest')),
    )
    expect(opened).toHaveLength(kept)
  })
})

describe('golden', () => {
  test.each(Object.entries(goldens))('%s', async (name, { keep, timezone }) => {
    const now = '2026-11-22T03:30:00Z'
    const { keep: kept, expire } = apply(keep, history, timezone, now)
    const lines = [
      ...kept.map(({ name, reasons }) => `= ${name}  ${reasons.join(', ')}`),
      ...expire.map(({ name, reason }) => `- ${name}  ${reason}`),
    ].sort((a, b) => (a.slice(2) < b.slice(2) ? 1 : -1))
    const text = [`${JSON.stringify(keep)} in ${timezone} at ${now}`, ...lines, ''].join('\n')
    await expect(text).toMatchFileSnapshot(join(folder, `${name}.txt`))
  })

  test('has no file that nothing makes', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.txt'))
    expect(files.sort()).toEqual(
      Object.keys(goldens)
        .map((name) => `${name}.txt`)
        .sort(),
    )
  })
})

const folder = join(import.meta.dirname, '../../golden/retention')

describe('for any snapshots and keep', () => {
  const now = '2026-11-22T00:00:00Z'
  const minute = 60_000
  const slot = fc
    .oneof(
      fc.integer({ min: Date.parse('2026-10-20'), max: Date.parse('2026-11-23') }),
      fc.integer({ min: Date.parse('2022-01-01'), max: Date.parse('2026-11-23') }),
    )
    .map((instant) => new Date(Math.floor(instant / minute) * minute))
  const candidates = fc
    .uniqueArray(fc.record({ slot, held: fc.boolean().map((held) => held) }), {
      maxLength: 60,
      selector: (candidate) => candidate.slot.getTime(),
    })
    .map((list) =>
      list.map(
        (one, at): Candidate => ({ ...one, held: one.held && at % 4 === 0, name: one.slot.toISOString() }),
      ),
    )
  const count = fc.integer({ min: -1, max: 12 })
  const duration = fc.constantFrom('1h', '36h', '7d', '1m', '1y2m3d4h')
  const keeps: fc.Arbitrary<Keep> = fc.record(
    {
      last: count,
      hourly: count,
      daily: count,
      weekly: count,
      monthly: count,
      yearly: count,
      within: duration,
      withinHourly: duration,
      withinDaily: duration,
      withinWeekly: duration,
      withinMonthly: duration,
      withinYearly: duration,
    },
    { requiredKeys: [] },
  )
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe')
  const ask = (keep: Keep, timezone: string, list: Candidate[]) => apply(keep, list, timezone, now)
  const isCounted = ({ held, slot }: Candidate) => !held && slot.getTime() <= Date.parse(now)

  test('each snapshot is kept or expires, newest first, kept ones with a reason', () => {
    fc.assert(
      fc.property(keeps, zones, candidates, (keep, timezone, list) => {
        const { keep: kept, expire } = ask(keep, timezone, list)
        const all = [...kept, ...expire].map(({ name }) => name)
        expect(all.sort()).toEqual(list.map(({ name }) => name).sort())
        for (const names of [kept, expire].map((part) => part.map(({ name }) => name)))
          expect(names).toEqual([...names].sort().reverse())
        expect(kept.every(({ reasons }) => reasons.length > 0)).toBe(true)
      }),
    )
  })

  test('the newest counted one stays, as do all that are held or in the future', () => {
    fc.assert(
      fc.property(keeps, zones, candidates, (keep, timezone, list) => {
        const kept = namesOf(ask(keep, timezone, list))
        const counted = list.filter(isCounted).map(({ name }) => name)
        expect(kept).toEqual(expect.arrayContaining(counted.sort().slice(-1)))
        expect(kept).toEqual(
          expect.arrayContaining(list.filter((one) => !isCounted(one)).map(({ name }) => name)),
        )
      }),
    )
  })

  test('what is held or in the future changes nothing for the others', () => {
    fc.assert(
      fc.property(keeps, zones, candidates, (keep, timezone, list) => {
        const counted = list.filter(isCounted)
        const whole = reasonsOf(ask(keep, timezone, list))
        const alone = reasonsOf(ask(keep, timezone, counted))
        for (const { name } of counted) expect(whole[name]).toEqual(alone[name])
      }),
    )
  })

  test('the order in which they are listed does not matter', () => {
    fc.assert(
      fc.property(keeps, zones, candidates, (keep, timezone, list) => {
        expect(ask(keep, timezone, [...list].reverse())).toEqual(ask(keep, timezone, list))
      }),
    )
  })

  test('a further rule removes nothing that was kept', () => {
    fc.assert(
      fc.property(keeps, keeps, zones, candidates, (keep, extra, timezone, list) => {
        const active = Object.values(keep).some((value) => value !== 0)
        fc.pre(active)
        const kept = namesOf(ask(keep, timezone, list))
        const more = namesOf(ask({ ...extra, ...keep }, timezone, list))
        expect(more).toEqual(expect.arrayContaining(kept))
      }),
    )
  })

  test('asked again without what expired, nothing more expires', () => {
    fc.assert(
      fc.property(keeps, zones, candidates, (keep, timezone, list) => {
        const kept = namesOf(ask(keep, timezone, list))
        const rest = list.filter(({ name }) => kept.includes(name))
        expect(ask(keep, timezone, rest).expire).toEqual([])
      }),
    )
  })

  test('a count rule keeps what the calendar says', () => {
    const periods = fc.constantFrom<Period>('hourly', 'daily', 'weekly', 'monthly', 'yearly')
    const limits = fc.constantFrom(1, 2, 5, 12, 40, Number.POSITIVE_INFINITY)
    fc.assert(
      fc.property(periods, limits, zones, candidates, (period, limit, timezone, list) => {
        const counted = list.filter(isCounted)
        const retention = ask({ [period]: Number.isFinite(limit) ? limit : -1 }, timezone, counted)
        const expected = keptBy(period, limit, timezone, counted)
        expect(namesOf(retention)).toEqual(expected.names)
        const oldest = retention.keep
          .filter(({ reasons }) => reasons[0]?.startsWith('oldest'))
          .map(({ name }) => name)
        expect(oldest).toEqual(expected.oldest === null ? [] : [expected.oldest])
      }),
      { numRuns: 200 },
    )
  })
})
