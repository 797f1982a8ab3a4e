import { describe, expect, test } from 'vitest'
import { warningsOf } from '../../../shared/policy/warnings.ts'
import { configOf } from './instances.ts'

const warned = (schedule: string): string[] => warningsOf(configOf({ p: { schedule } }))

describe('a step that is no interval', () => {
  test.each([
    [
      '*/90 * * * *',
      'no interval of 90 minutes, for a step counts anew in each hour: it means minutes 0 of each hour',
    ],
    [
      '0 */36 * * *',
      'no interval of 36 hours, for a step counts anew in each day: it means hours 0 of each day',
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
