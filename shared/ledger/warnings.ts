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

/** What the last look found not to be as somebody meant it, and what is gone from sight since a few days. */
export function findingsOf(ledger: Ledger | null): string[] {
  const { gone = {}, told = [] } = ledger?.sight ?? {}
  return [...goneText(gone), ...told]
}

const NAMED = 5

function goneText(gone: Record<string, string>): string[] {
  const keys = Object.keys(gone).sort()
  const [since] = Object.values(gone).sort()
  if (since === undefined) return []
  const more = keys.length > NAMED ? ` and ${keys.length - NAMED} more` : ''
  const what =
    keys.length === 1 ? '1 instance that was covered is' : `${keys.length} instances that were covered are`
  const names = keys.slice(0, NAMED).join(', ')
  const why = "deleted, renamed, or taken away from the relay's certificate"
  return [`${what} gone since ${since}: ${names}${more} (${why})`]
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
