import { expect, test } from 'vitest'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { staysAt, staysUntil } from '../../../shared/incus/min-retention.ts'

const at = new Date('2026-11-22T03:00:00Z')
const taken = (date: string): SnapshotPair => ['daily-20261121T0300Z', Date.parse(date) / 1000]

test('a verified snapshot stays for as long as the rule says, counted from when it was taken', () => {
  expect(staysUntil(taken('2026-11-21T03:00:01Z'), 86_400)).toEqual(new Date('2026-11-22T03:00:01Z'))
  expect(staysAt(taken('2026-11-21T03:00:01Z'), 86_400, at)).toBe(true)
  expect(staysAt(taken('2026-11-21T03:00:00Z'), 86_400, at)).toBe(false)
})

test('where there is no rule, not even a date in the future keeps one', () => {
  expect(staysUntil(taken('2026-11-23T03:00:00Z'), 0)).toBeNull()
  expect(staysAt(taken('2026-11-23T03:00:00Z'), 0, at)).toBe(false)
})
