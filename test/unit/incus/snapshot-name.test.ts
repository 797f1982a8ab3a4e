import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { commonPairs, newestPair } from '../../../shared/incus/pairs.ts'
import { compareAge, parseSnapshotName, snapshotName } from '../../../shared/incus/snapshot-name.ts'

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

describe('a name of ours', () => {
  const minute = fc
    .date({ min: new Date('0001-01-01T00:00Z'), max: new Date('9999-12-31T23:59Z'), noInvalidDate: true })
    .map((date) => new Date(Math.floor(date.getTime() / 60_000) * 60_000))

  test('tells its policy and its slot, to the minute', () => {
    fc.assert(
      fc.property(minute, (slot) => {
        const iso = slot.toISOString()
        const name = snapshotName({ policy: 'q-1', slot })
        expect(name).toBe(`q-1-${iso.slice(0, 16).replace(/[-:]/g, '')}Z`)
        expect(parseSnapshotName(name)).toEqual({ policy: 'q-1', slot })
      }),
    )
  })

  test.for([
    'q-20260229T0000Z',
    'q-20261301T0000Z',
    'q-20260001T0000Z',
    'q-20260100T0000Z',
    'q-20260101T2400Z',
    'q-20260101T0060Z',
  ])('has a date that exists, and %s has none', (name) => {
    expect(parseSnapshotName(name)).toBeNull()
  })
})

test('what two lists have in common doesn’t depend on their order, nor on a name that one has with two dates', () => {
  const pair = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.integer({ min: 1, max: 2 }))
  const list = fc.uniqueArray(pair, { selector: ([name]) => name })
  fc.assert(
    fc.property(list, fc.uniqueArray(pair, { selector: String }), (some, others) => {
      const wanted = some.filter((one) => others.some((other) => other[0] === one[0] && other[1] === one[1]))
      expect(commonPairs(some, others)).toEqual(wanted)
    }),
  )
})
