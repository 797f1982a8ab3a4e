import { describe, expect, test } from 'vitest'
import { parseWithin, reachBack, renderWithin } from '../../../shared/retention/within.ts'
import { openZone } from '../../../shared/schedule/zone.ts'

describe('parseWithin', () => {
  test.each([
    ['2y5m7d3h', '2y5m7d3h'],
    ['3h7d5m2y', '2y5m7d3h'],
    ['7d', '7d'],
    ['48h', '48h'],
    [' 1m ', '1m'],
    ['0y07d', '7d'],
    ['0d', ''],
    ['99999y', '99999y'],
  ])('reads "%s" as "%s"', (text, rendered) => {
    const parsed = parseWithin(text)
    expect(parsed.ok && renderWithin(parsed.value)).toBe(rendered)
  })

  test.each([
    ['', 'numbers and units must alternate'],
    ['7', 'numbers and units must alternate'],
    ['d', 'numbers and units must alternate'],
    ['7d3', 'numbers and units must alternate'],
    ['7 d', 'numbers and units must alternate'],
    ['1y, 2m', 'numbers and units must alternate'],
    ['-7d', 'numbers and units must alternate'],
    ['1.5d', 'numbers and units must alternate'],
    ['2w', 'there is no unit w (a week is 7d)'],
    ['2M', 'there is no unit M (m is months)'],
    ['2s', 'there is no unit s'],
    ['1d2d', 'd is there twice'],
    ['100000d', '100000d is too long'],
  ])('refuses "%s"', (text, problem) => {
    expect(parseWithin(text)).toEqual({
      ok: false,
      error: `expected a duration of years, months, days and hours like "2y5m7d3h", got "${text}": ${problem}`,
    })
  })
})

describe('reachBack', () => {
  test.each([
    ['a day is a calendar day', '1d', 'Europe/Berlin', '2026-03-29T10:00Z', '2026-03-28T11:00Z'],
    ['24 hours are elapsed hours', '24h', 'Europe/Berlin', '2026-03-29T10:00Z', '2026-03-28T10:00Z'],
    ['a month before the 31st runs over', '1m', 'UTC', '2026-03-31T10:00Z', '2026-03-03T10:00Z'],
    ['a year before a leap day runs over', '1y', 'UTC', '2028-02-29T10:00Z', '2027-03-01T10:00Z'],
    ['all units at once', '2y5m7d3h', 'UTC', '2026-11-22T03:00Z', '2024-06-15T00:00Z'],
    ['a time that was skipped', '1d', 'Europe/Berlin', '2026-03-30T00:30Z', '2026-03-29T01:30Z'],
    ['a time that was repeated', '1d', 'Europe/Berlin', '2026-10-26T01:30Z', '2026-10-25T01:30Z'],
    ['further than any history', '99999y', 'Europe/Berlin', '2026-11-22T03:00Z', '-097973-11-22T03:06:32Z'],
  ])('%s', (_, text, timezone, from, expected) => {
    const parsed = parseWithin(text)
    if (!parsed.ok) throw new Error(parsed.error)
    const back = reachBack(Date.parse(from), parsed.value, openZone(timezone))
    expect(new Date(back).toISOString()).toBe(new Date(expected).toISOString())
  })
})
