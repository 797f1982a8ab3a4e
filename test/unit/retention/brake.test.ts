import { describe, expect, test } from 'vitest'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { tooMuch } from '../../../shared/retention/brake.ts'

const BRAKE = { share: 0.5, number: 10 }
const HOUR = 3600
const DAY = 24 * HOUR

/** So many seconds apart, the newest first. */
const every = (step: number, count: number, from = 0): SnapshotPair[] =>
  Array.from({ length: count }, (_, at) => [`p-${from + at * step}`, 100 * DAY - from - at * step])

type Row = [title: string, snapshots: SnapshotPair[], keeps: number, owed?: number]
const judge = (snapshots: SnapshotPair[], keeps: number, owed = 0) =>
  tooMuch(BRAKE, { snapshots, going: new Set(snapshots.slice(keeps).map(([name]) => name)), owed })

describe('the brake allows', () => {
  test.each<Row>([
    ['one of 25, as each hour takes', every(HOUR, 25), 24],
    ['one of 8 dailies', every(DAY, 8), 7],
    ['one of four', every(DAY, 4), 3],
    ['two of three', every(DAY, 3), 1],
    ['one of two, though it is all that is older than a day', every(DAY + 60, 2), 1],
    ['one of twelve in an hour', every(300, 13), 12],
    ['five of 30 after a few failures', every(HOUR, 30), 25],
    ['ten of 40', every(HOUR, 30), 20],
    ['48 of 72 after a copy that took two days', every(HOUR, 72), 24, 48],
    [
      'the oldest few of a day, after an outage of six hours',
      [...every(HOUR, 1), ...every(HOUR, 24, 7 * HOUR)],
      19,
    ],
  ])('%s', (_, snapshots, keeps, owed) => {
    expect(judge(snapshots, keeps, owed)).toBeNull()
  })
})

describe('the brake holds', () => {
  test.each<[...Row, said: string]>([
    [
      'a keep of 168 that is 24 now',
      every(HOUR, 168),
      24,
      0,
      '144 of 168 snapshots would go at once, and more than 10',
    ],
    [
      'a keep of 7 that is 1 now',
      every(DAY, 8),
      1,
      0,
      '7 of 8 snapshots would go at once, and more than 50 %',
    ],
    ['three of four', every(DAY, 4), 1, 0, '3 of 4'],
    [
      'all dailies beside 24 of today',
      [...every(HOUR, 24), ...every(DAY, 6, 2 * DAY)],
      24,
      0,
      'all that are older than a day',
    ],
    ['what came while nothing could go, and more', every(HOUR, 168), 24, 48, '144 of 168'],
    [
      'what is left of a span after three days without a slot',
      [...every(HOUR, 1), ...every(HOUR, 72, 3 * DAY)],
      1,
      0,
      '72 of 73',
    ],
  ])('%s', (_, snapshots, keeps, owed, said) => {
    expect(judge(snapshots, keeps, owed)).toContain(said)
  })
})
