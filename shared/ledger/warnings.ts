/** What the notebook tells of the ticks themselves: whether they come, and know the applied configuration. */
import type { Ledger } from './ledger.ts'

/** Something was due and nobody looked: the cron trigger comes each minute. */
const OVERDUE_MINUTES = 5

/** Of the applied configuration, its version and when that was (ISO 8601); and what in KV could not be read. */
export type Applied = { version: string; appliedAt: string; problems?: readonly string[] }

export function warningsOf(applied: Applied, ledger: Ledger | null, now: Date): string[] {
  const overdue = overdueOf(applied, ledger, now)
  const hint = 'is the cron trigger on, and does POST /api/tick work?'
  return [
    ...(applied.problems ?? []),
    ...(overdue === null
      ? []
      : [`something is due since ${overdue.since}, and no tick came for ${overdue.minutes} min: ${hint}`]),
    ...(ledger === null || ledger.config === applied.version
      ? []
      : ['no tick has looked at the applied configuration yet']),
  ]
}

/** Null while ticks come as they should. */
export function overdueOf(
  { appliedAt }: Applied,
  ledger: Ledger | null,
  now: Date,
): { since: string; minutes: number } | null {
  const since = ledger === null || ledger.wakeAt < appliedAt ? appliedAt : ledger.wakeAt
  const minutes = Math.floor((now.getTime() - new Date(since).getTime()) / 60_000)
  return minutes >= OVERDUE_MINUTES && !isCopying(ledger) ? { since, minutes } : null
}

/** A copy that goes on as before is watched each minute without a note of it. */
const isCopying = (ledger: Ledger | null): boolean =>
  Object.values(ledger?.copies ?? {}).some(({ state }) => state === 'started' || state === 'running')
