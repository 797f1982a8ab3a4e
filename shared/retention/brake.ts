/**
 * The brake on expiries: whether too much of an instance's snapshots of one policy would go at once. A changed
 * `keep`, a person's glob, and a source that makes many snapshots to push the others out all look like this.
 */
import type { SnapshotPair } from '../incus/inventory.ts'

/** `share`: of the snapshots that are there, from 0 to 1; `number`: so many. More than either is too much. */
export type Brake = { share: number; number: number }

type Removal = {
  /** The policy's snapshots of the instance, as observed. */
  snapshots: readonly SnapshotPair[]
  /** Names of those that would go. */
  going: ReadonlySet<string>
  /** What they are called; absent: snapshots. */
  called?: string
  /** So many could not go earlier, as slots have passed since in which nothing could. */
  owed: number
}

/** Fewer are no share: with `last: 3` one of four goes each time. */
export const FEW = 3
const DAY = 86_400

/** Why it is too much; null: it isn't. */
export function tooMuch(
  { share, number }: Brake,
  { snapshots, going, owed, called = 'snapshots' }: Removal,
): string | null {
  const excess = going.size - owed
  if (excess < FEW) return null
  const many = `${going.size} of ${snapshots.length} ${called} would go at once`
  if (excess > number) return `${many}, and more than ${number} are too many`
  if (excess > share * snapshots.length) return `${many}, and more than ${percent(share)} are too many`
  const { old, far } = agedIn(snapshots)
  return far && old.length >= FEW && old.length > owed && old.every((name) => going.has(name))
    ? `${many}, and with them all that are older than a day`
    : null
}

/**
 * Those older than a day, counted back from the newest but one, so that a gap in time makes nothing old by
 * itself. `far`: some are older than two, so that it isn't the end of a `keep` of a day.
 */
function agedIn(snapshots: readonly SnapshotPair[]): { old: string[]; far: boolean } {
  const [, second = 0] = snapshots.map(([, createdAt]) => createdAt).sort((a, b) => b - a)
  const old = snapshots.filter(([, createdAt]) => createdAt < second - DAY)
  return { old: old.map(([name]) => name), far: old.some(([, createdAt]) => createdAt < second - 2 * DAY) }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
