/** Which verified snapshot counts as the newest of a copy. */
import { expect, test } from 'vitest'
import { isNewest } from '../../../relay/engine/removal.ts'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'

const NOW = Date.parse('2026-11-22T03:00:00Z')
const OLD: SnapshotPair = ['s1', NOW / 1000 - 7200]
const NEW: SnapshotPair = ['s2', NOW / 1000 - 3600]
const NEWER: SnapshotPair = ['s3', NOW / 1000 - 60]
const AHEAD: SnapshotPair = ['s4', Date.parse('2099-01-01T00:00:00Z') / 1000]

test.each<[string, SnapshotPair, boolean]>([
  ['the newest', NEW, true],
  ['an older one', OLD, false],
  ['one that is dated in the future', AHEAD, true],
])('%s, beside one that is dated in the future: %s', (_, pair, expected) => {
  const there = [OLD, NEW, AHEAD]
  expect(isNewest(pair, { verified: there, listed: there, torn: [] }, NOW)).toBe(expected)
})

test.each<[string, { verified?: SnapshotPair[]; torn?: SnapshotPair[] }, boolean]>([
  ['is only known by name', { verified: [OLD, NEW, NEWER] }, true],
  ['was never verified', {}, true],
  ['has no data', { verified: [OLD, NEW, NEWER], torn: [NEWER] }, true],
])('the newest stays so where a newer one %s', (what, { verified = [OLD, NEW], torn = [] }, expected) => {
  const listed = what === 'is only known by name' ? [OLD, NEW] : [OLD, NEW, NEWER]
  expect(isNewest(NEW, { verified, listed, torn }, NOW)).toBe(expected)
})
