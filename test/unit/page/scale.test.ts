import { expect, test } from 'vitest'
import { scaleOf, ticksOf } from '../../../shared/page/scale.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const now = Date.parse('2026-11-22T05:00:00Z')
const span = { from: now - 400 * DAY, to: now + 2 * DAY, now }

test('time runs from left to right, whole spans within the picture', () => {
  const scale = scaleOf(span)
  const moments = [span.from, now - 7 * DAY, now - HOUR, now, now + HOUR, span.to]
  const places = moments.map(scale)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect([places[0], places.at(-1)]).toEqual([0, 1])
})

test('the last hour has more room than any other of a year', () => {
  const scale = scaleOf(span)
  const room = (from: number) => scale(from + HOUR) - scale(from)
  expect(room(now - HOUR)).toBeGreaterThan(5 * room(now - DAY))
})

test('marks only the distances that lie in it', () => {
  expect(ticksOf(span).map(({ label }) => label)).toEqual([
    ...['−1 year', '−1 month', '−1 week', '−1 day', '−6 h', '−1 h'],
    ...['+1 h', '+6 h', '+1 day'],
  ])
})

test('a span without any length is one place', () => {
  expect(scaleOf({ from: now, to: now, now })(now)).toBe(0)
})
