import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isTimezone, openZone } from '../../../shared/schedule/zone.ts'
import { wallOf } from './wall-clock.ts'

const names = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Africa/Monrovia',
  'Pacific/Apia',
  'America/St_Johns',
]

describe('openZone', () => {
  test.each(names)('%s has the offset that its wall clock shows', (timezone) => {
    const zone = openZone(timezone)
    const instants = fc.integer({ min: Date.UTC(1965, 0), max: Date.UTC(2040, 0) })
    fc.assert(
      fc.property(instants, (instant) => {
        const whole = Math.floor(instant / 1000) * 1000
        expect(whole + zone.offsetAt(whole)).toBe(wallOf(timezone, whole))
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['Europe/Berlin', '2026-03-29T01:00:00.000Z', 3_600_000, 7_200_000],
    ['Europe/Berlin', '2026-10-25T01:00:00.000Z', 7_200_000, 3_600_000],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00.000Z', 39_600_000, 37_800_000],
    ['Pacific/Apia', '2011-12-30T10:00:00.000Z', -36_000_000, 50_400_000],
  ])('%s changes at %s to the millisecond', (timezone, at, before, after) => {
    const zone = openZone(timezone)
    const change = Date.parse(at)
    expect([zone.offsetAt(change - 1), zone.offsetAt(change)]).toEqual([before, after])
  })

  test('no zone changes twice within a cell of the memo between 2000 and 2040', () => {
    for (const timezone of names) {
      const zone = openZone(timezone)
      for (let hour = Date.UTC(2000, 0); hour < Date.UTC(2040, 0); hour += 7 * 86_400_000) {
        expect(hour + zone.offsetAt(hour)).toBe(wallOf(timezone, hour))
      }
    }
  })
})

describe('isTimezone', () => {
  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('accepts %s', (name) => {
    expect(isTimezone(name)).toBe(true)
  })

  test.each(['', 'Mars/Base', 'Europe/Berlin ', '+01:00', 'local', 'CEST'])('refuses "%s"', (name) => {
    expect(isTimezone(name)).toBe(false)
  })
})
