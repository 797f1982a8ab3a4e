import { describe, expect, test } from 'vitest'
import { warningsOf } from '../../../shared/policy/warnings.ts'
import { configOf } from './instances.ts'

const warned = (schedule: string): string[] => warningsOf(configOf({ p: { schedule } }))

describe('a step that is no interval', () => {
  test.each([
    [
      '*/90 * * * *',
      'not an interval of 90 minutes, because a step starts again in each hour: it means minutes 0 of each hour',
    ],
    [
      '0 */36 * * *',
      'not an interval of 36 hours, because a step starts again in each day: it means hours 0 of each day',
    ],
    ['*/7 * * * *', 'it means minutes 0, 7, 14, 21, 28, 35, … 56 of each hour'],
    ['0 */5 * * *', 'it means hours 0, 5, 10, 15, 20 of each day'],
    ['0 3 */2 * *', 'it means days 1, 3, 5, 7, 9, 11, … 31 of each month'],
    ['0 3 1 */5 *', 'it means months 1, 6, 11 of each year'],
    ['0 3 * * */3', 'it means days 0, 3, 6 of each week'],
    ['*/60 * * * *', 'it means minutes 0 of each hour'],
  ])('%s is warned of, with what it means', (schedule, means) => {
    expect(warned(schedule)).toEqual([expect.stringContaining(means)])
    expect(warned(schedule)[0]).toMatch(/^policies\.p\.schedule: in "/)
  })
})

test.each([
  '*/15 * * * *',
  '0 */6 * * *',
  '@hourly',
  '* * * * *',
  '*/1 * * * *',
  '0 3 1 */3 *',
  '1-59/2 * * * *',
  '0 3 * * 1-5',
])('%s means what it looks like', (schedule) => {
  expect(warned(schedule)).toEqual([])
})

describe('a copy that is to keep more than its source', () => {
  const warnedOf = (policy: object, copy: object): string[] =>
    warningsOf(configOf({ p: { ...policy, copy: { remote: 'backup', ...copy } } }))

  test.each<[object, object, string]>([
    [
      { keep: { daily: 7 } },
      { keep: { daily: 30 } },
      'policies.p.copy.keep.daily: 30 is more than the source keeps, which is 7',
    ],
    [
      { keep: { last: 3 } },
      { keep: { last: -1 } },
      'To have all of them there, raise policies.p.keep.last as well; to let a refresh remove them, say "mirror": true',
    ],
    [{ keep: { daily: 7 } }, { keep: { weekly: 4 } }, 'for longer than the source has them (about 7 days)'],
    [
      { keep: {}, expiry: '3d' },
      { keep: { daily: 30 } },
      'for longer than the source has them (about 3 days)',
    ],
    [{ keep: { hourly: 24 } }, { keep: { within: '7d' } }, 'for longer than the source has them'],
    [
      { keep: { daily: 7 } },
      { expiry: '90d' },
      'policies.p.copy.expiry: 90d is longer than the source has its snapshots (about 7 days)',
    ],
    [{ keep: {}, expiry: '7d' }, { expiry: '1m' }, 'policies.p.copy.expiry: 1m is longer'],
  ])('%j and then %j is warned of, for a refresh mirrors the source', (policy, copy, said) => {
    expect(warnedOf(policy, copy)).toEqual([expect.stringContaining(said)])
    expect(warnedOf(policy, { ...copy, mirror: true })).toEqual([])
  })

  test.each<[object, object]>([
    [{ keep: { daily: 7 } }, { keep: { daily: 7 } }],
    [{ keep: { daily: -1 } }, { keep: { daily: 30 } }],
    [{ keep: { daily: 30 } }, { keep: { weekly: 4 } }],
    [{ schedule: '* 8-18 * * 1-5', keep: { last: 1000 } }, { expiry: '2d' }],
    [{ keep: {} }, { keep: { daily: 30 } }],
    [{ keep: {} }, { expiry: '90d' }],
    [{ keep: { daily: 7 } }, {}],
    [{ keep: { daily: 7 }, expiry: '7d' }, { keep: { daily: 7 } }],
    [{ keep: { daily: 7, monthly: 6 } }, { expiry: '90d' }],
  ])('%j and then %j is what it looks like', (policy, copy) => {
    expect(warnedOf(policy, copy)).toEqual([])
  })
})

describe('a promise that the schedule can not keep', () => {
  test.each<[string, object, string[]]>([
    ['@hourly', { snapshot: '10m' }, ['snapshot: 10 min is not longer than the 60 min that lie']],
    [
      '0 3 * * 1-5',
      { snapshot: '26h', copy: '2d' },
      ['snapshot: 26 h is', 'copy: 2 days is not longer than the 3 days'],
    ],
    ['* 8-18 * * 1-5', { snapshot: '1d' }, ['snapshot: 24 h is not longer than the 2 days that lie']],
    ['0 3 * * *', { snapshot: '26h', copy: '26h' }, []],
    ['@hourly', {}, []],
  ])('is warned of: %s and %j', (schedule, promise, said) => {
    const warnings = warningsOf(configOf({ p: { schedule, promise, copy: { remote: 'backup' } } }))
    expect(warnings).toEqual(said.map((text) => expect.stringContaining(`policies.p.promise.${text}`)))
  })
})

test('a promise of exports that their own schedule can not keep is warned of', () => {
  const weekly = {
    schedule: '@hourly',
    promise: { export: '3d' },
    export: { to: 'nas', schedule: '@weekly' },
  }
  expect(warningsOf(configOf({ p: weekly }))).toEqual([
    expect.stringMatching(/^policies\.p\.promise\.export: 3 days .* 7 days .* of its export\.schedule/),
  ])
})

describe('a dead man’s switch of several policies', () => {
  const ping = { type: 'healthchecks', url: { secret: 'PING_ALL' } }
  const two = (one: object, other: object) =>
    warningsOf(configOf({ p: { schedule: '@hourly', ping: one }, q: { schedule: '@daily', ping: other } }))

  test('is warned of: one that is well would speak for the others', () => {
    expect(two(ping, ping)).toEqual([
      expect.stringMatching(/^policies\.p\.ping: q pings the same check, of PING_ALL/),
    ])
  })

  test('is none where each has a check of its own', () => {
    expect(two({ ...ping, slug: true }, { ...ping, slug: true })).toEqual([])
    expect(two(ping, { ...ping, url: { secret: 'PING_Q' } })).toEqual([])
  })
})
