/** Snapshots that are taken before a restore in place, and how long Incus keeps them. */
import { parseSnapshotName, SAFETY } from '../incus/snapshot-name.ts'
import { minuteOf } from '../schedule/moment.ts'

const KEPT_DAYS = 14

/** When Incus itself removes one that was taken at `now`, or at least a day from then (ISO 8601). */
export function safetyExpiry(taken: Date, now: Date): string {
  const until = minuteOf(taken).getTime() + KEPT_DAYS * 86_400_000
  return new Date(Math.max(until, now.getTime() + 86_400_000)).toISOString()
}

export const isSafety = (name: string): boolean => parseSnapshotName(name)?.policy === SAFETY
