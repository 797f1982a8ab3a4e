/**
 * `minRetention`: how long a verified snapshot of a copy stays on its remote at least, counted from when it was
 * taken. The relay enforces it and the Worker plans by it, so both have it from here.
 */
import type { SnapshotPair } from './inventory.ts'

/** `least`: in seconds, 0 for none. Null: there is no such rule, so not even a date in the future keeps it. */
export const staysUntil = ([, createdAt]: SnapshotPair, least: number): Date | null =>
  least === 0 ? null : new Date((createdAt + least) * 1000)

export function staysAt(pair: SnapshotPair, least: number, at: Date): boolean {
  const until = staysUntil(pair, least)
  return until !== null && until > at
}
