/** Days and zones that schedulers were reported to get wrong. */
import { expect, test } from 'vitest'
import { dueSlots } from '../../../shared/schedule/slots.ts'

const between = (schedule: string[], timezone: string, after: string, until: string): string[] =>
  dueSlots({ schedule, timezone, after: new Date(after), until: new Date(until), limit: 2000 }).slots.map(
    (slot) => `${slot.toISOString().slice(0, 16)}Z`,
  )

test.each<[string, string[], string, string, string, string[]]>([
  [
    'a zone whose clock jumps at midnight, daily at midnight',
    ['0 0 * * *'],
    'America/Sao_Paulo',
    '2018-11-02T12:00:00Z',
    '2018-11-06T12:00:00Z',
    ['2018-11-03T03:00Z', '2018-11-04T03:00Z', '2018-11-05T02:00Z', '2018-11-06T02:00Z'],
  ],
  [
    'the tenth of each month, with a jump in between',
    ['0 0 10 * *'],
    'America/Sao_Paulo',
    '2014-10-13T00:00:00Z',
    '2014-12-20T00:00:00Z',
    ['2014-11-10T02:00Z', '2014-12-10T02:00Z'],
  ],
  [
    "four Sunday times around a jump: the skipped one runs with the landing hour's",
    ['30 2 * * 7', '0 3 * * 7', '0 4 * * 7', '0 5 * * 7'],
    'Europe/Rome',
    '2025-03-28T23:59:59Z',
    '2025-03-31T00:00:00Z',
    ['2025-03-30T01:00Z', '2025-03-30T01:30Z', '2025-03-30T02:00Z', '2025-03-30T03:00Z'],
  ],
  [
    'a daily time that one day lacks',
    ['30 2 * * *'],
    'Europe/Amsterdam',
    '2023-03-25T00:00:00Z',
    '2023-03-28T00:00:00Z',
    ['2023-03-25T01:30Z', '2023-03-26T01:30Z', '2023-03-27T00:30Z'],
  ],
  [
    'a daily time that is shown twice',
    ['0 2 * * *'],
    'Europe/Rome',
    '2017-10-28T21:59:59Z',
    '2017-10-29T22:59:59Z',
    ['2017-10-29T00:00Z'],
  ],
  [
    'every hour where the clock jumps by half an hour',
    ['0 * * * *'],
    'Australia/Lord_Howe',
    '2019-10-05T14:00:00Z',
    '2019-10-05T18:30:00Z',
    ['2019-10-05T14:30Z', '2019-10-05T16:00Z', '2019-10-05T17:00Z', '2019-10-05T18:00Z'],
  ],
  [
    'a daily time where the clock falls back by half an hour',
    ['45 1 * * *'],
    'Australia/Lord_Howe',
    '2026-04-04T00:00:00Z',
    '2026-04-05T00:00:00Z',
    ['2026-04-04T14:45Z'],
  ],
  [
    'a day of the month and one of the week: either',
    ['30 3 1-7 * 0'],
    'UTC',
    '2026-11-01T04:00:00Z',
    '2026-11-16T00:00:00Z',
    [
      '2026-11-02T03:30Z',
      '2026-11-03T03:30Z',
      '2026-11-04T03:30Z',
      '2026-11-05T03:30Z',
      '2026-11-06T03:30Z',
      '2026-11-07T03:30Z',
      '2026-11-08T03:30Z',
      '2026-11-15T03:30Z',
    ],
  ],
  [
    'weekly on the day that begins an hour late',
    ['0 0 * * 0'],
    'America/Santiago',
    '2025-09-01T12:00:00Z',
    '2025-09-15T12:00:00Z',
    ['2025-09-07T04:00Z', '2025-09-14T03:00Z'],
  ],
])('%s', (_, schedule, timezone, after, until, slots) => {
  expect(between(schedule, timezone, after, until)).toEqual(slots)
})

test('every minute through a repeated hour: the day has 1500 of them, each once', () => {
  const slots = between(['* * * * *'], 'Europe/Rome', '2017-10-28T21:59:59Z', '2017-10-29T22:59:59Z')
  expect(slots).toHaveLength(1500)
  expect(new Set(slots).size).toBe(1500)
})
