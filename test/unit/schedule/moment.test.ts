import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { isMoment } from '../../../shared/schedule/moment.ts'

const zods = z.iso.datetime({ offset: true })

test.each([
  ['2026-11-22T03:00:00Z', true],
  ['2026-11-22T03:00Z', false],
  ['2026-11-22T03:00:00.123+05:30', true],
  ['2024-02-29T23:59:59-23:59', true],
  ['2025-02-29T00:00:00Z', false],
  ['2026-04-31T00:00:00Z', false],
  ['2026-13-01T00:00:00Z', false],
  ['2026-11-22T24:00:00Z', false],
  ['2026-11-22T03:00:60Z', false],
  ['2026-11-22T03:00:00', false],
  ['2026-11-22 03:00:00Z', false],
  ['2026-11-22T03:00:00z', false],
  ['2026-11-22', false],
  ['yesterday', false],
  ['', false],
])('"%s" is a moment: %s', (text, is) => {
  expect(isMoment(text)).toBe(is)
  expect(zods.safeParse(text).success).toBe(is)
})

test('what is taken for a moment is what zod takes for one', () => {
  const two = (most: number) => fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(2, '0'))
  const year = fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0'))
  const seconds = fc.oneof(
    fc.constant(''),
    two(61).map((s) => `:${s}`),
    two(59).map((s) => `:${s}.5`),
  )
  const offset = fc.oneof(
    fc.constantFrom('Z', '', 'z'),
    fc.tuple(two(25), two(61)).map(([h, m]) => `+${h}:${m}`),
  )
  const texts = fc
    .tuple(year, two(13), two(32), two(25), two(61), seconds, offset)
    .map(([y, month, day, hour, minute, s, o]) => `${y}-${month}-${day}T${hour}:${minute}${s}${o}`)
  let taken = 0
  const agrees = (text: string): void => {
    if (isMoment(text)) taken += 1
    expect({ text, is: isMoment(text) }).toEqual({ text, is: zods.safeParse(text).success })
  }
  fc.assert(fc.property(texts, agrees), { numRuns: 5000 })
  expect(taken).toBeGreaterThan(500)
})
