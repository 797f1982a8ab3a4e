/** Which verified snapshot counts as the newest of a copy. */
import { expect, test } from 'vitest'
import { isNewest } from '../../../relay/engine/removal.ts'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'

const NOW = Date.parse('2026-11-22T03:00:00Z')
const OLD: SnapshotPair = ['s1', NOW / 1000 - 7200]
const NEW: SnapshotPair = ['s2', NOW / 1000 - 3600]
const AHEAD: SnapshotPair = ['s3', Date.parse('2099-01-01T00:00:00Z') / 1000]

test.each<[string, SnapshotPair, boolean]>([
  ['the newest', NEW, true],
  ['an older one', OLD, false],
  ['one that is dated in the future', AHEAD, true],
])('%s, beside one that is dated in the future: %s', (_, pair, expected) => {
  expect(isNewest(pair, [OLD, NEW, AHEAD], NOW)).toBe(expected)
})
