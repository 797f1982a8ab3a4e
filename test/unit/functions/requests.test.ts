import { expect, test } from 'vitest'
import { retentionBody } from '../../../functions/api/requests.ts'

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
])('"%s" is taken for an instant: %s', (text, is) => {
  const snapshot = { name: 'daily-1', takenAt: text }
  expect(retentionBody.safeParse({ keep: {}, snapshots: [snapshot] }).success).toBe(is)
  expect(retentionBody.safeParse({ keep: {}, snapshots: [], now: text }).success).toBe(is)
})
