/** How far apart slots lie, against all slots of a year walked one by one. */
import { expect, test } from 'vitest'
import { dueSlots } from '../../../shared/schedule/slots.ts'
import { spacingOf } from '../../../shared/schedule/spacing.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

function walked(schedule: readonly string[], timezone: string) {
  const [after, until] = [new Date('2025-12-31T23:59Z'), new Date('2027-01-02T00:00Z')]
  const { slots } = dueSlots({ schedule, timezone, after, until, limit: 1_000_000 })
  const gaps = slots.slice(1).map((slot, at) => slot.getTime() - (slots[at]?.getTime() ?? 0))
  return { longest: Math.max(...gaps), average: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length }
}

test.each([
  ['each day', ['0 3 * * *'], 'UTC'],
  ['each day, one of which has 25 hours', ['0 3 * * *'], 'Europe/Berlin'],
  ['twice a day, where the clock changes in between', ['0 0,12 * * *'], 'America/New_York'],
  ['each hour, and the hour that comes twice', ['0 * * * *'], 'Europe/Berlin'],
  ['at work', ['*/10 8-18 * * 1-5'], 'Europe/Berlin'],
  ['by several expressions', ['0 3 * * 1-5', '30 12 1 * *', '15 */6 * * 0'], 'Australia/Lord_Howe'],
  ['where midnight is skipped', ['0 0 * * *', '30 23 * * *'], 'Africa/Cairo'],
  ['days of the month or of the week', ['0 4 13 * 5'], 'UTC'],
])('%s', (_, schedule, timezone) => {
  const [spacing, all] = [spacingOf({ schedule, timezone }), walked(schedule, timezone)]
  expect(spacing?.longest).toBe(all.longest)
  // The year begins and ends elsewhere by some hours.
  expect(Math.abs((spacing?.average ?? 0) / all.average - 1)).toBeLessThan(0.02)
})

test('the weekend is seen however many slots a day has', () => {
  const spacing = spacingOf({ schedule: ['* 8-18 * * 1-5'], timezone: 'UTC' })
  expect(spacing?.longest).toBe(2 * DAY + 13 * HOUR + 60_000)
  expect(Math.round((spacing?.average ?? 0) / 1000)).toBe(Math.round((7 * DAY) / (5 * 660) / 1000))
})

test('leap days are years apart, and a schedule without slots has no spacing', () => {
  const spacing = spacingOf({ schedule: ['0 0 29 2 *'], timezone: 'UTC' })
  expect(spacing?.longest).toBe(1461 * DAY)
  expect(spacingOf({ schedule: [], timezone: 'UTC' })).toBeNull()
})
