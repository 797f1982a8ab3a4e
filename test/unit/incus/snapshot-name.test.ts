import { describe, expect, test } from 'vitest'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { compareAge } from '../../../shared/incus/snapshot-name.ts'
import { newestPair } from '../../../shared/plan/marks.ts'

const AT = Date.parse('2026-11-22T03:00:20Z') / 1000
/** Oldest first. */
const ORDERED: SnapshotPair[] = [
  ['zz-last-of-yesterday', AT - 86_400],
  ['before-upgrade', AT],
  // Named for the future by somebody: not ours.
  ['daily-20990101T0000Z', AT],
  ['half', AT],
  ['weekly-20261122T0259Z', AT],
  ['daily-20261122T0300Z', AT],
  ['hourly-20261122T0300Z', AT],
  ['another', AT + 1],
]

describe('which of two snapshots is the newer one', () => {
  const pairs = ORDERED.flatMap((a, at) => ORDERED.slice(at + 1).map((b) => [a, b] as const))

  test.each(pairs)('%s is older than %s, whichever is listed first', (older, newer) => {
    expect(Math.sign(compareAge(older, newer))).toBe(-1)
    expect(Math.sign(compareAge(newer, older))).toBe(1)
    expect(newestPair([older, newer])).toBe(newer)
    expect(newestPair([newer, older])).toBe(newer)
  })

  test('is the same for all of them, in any order', () => {
    const shuffled = [5, 2, 7, 0, 3, 6, 1, 4].flatMap((at) => ORDERED.slice(at, at + 1))
    expect(shuffled.sort(compareAge)).toEqual(ORDERED)
    expect(compareAge(['half', AT], ['half', AT])).toBe(0)
  })
})
