/** Warnings from the ledger about the ticks: whether they come, and use the applied configuration. */
import { HEARTBEAT } from './beat.ts'
import type { Ledger } from './ledger.ts'

const MINUTE = 60_000
/** After so long without a noted observation, ticks are missing: the cron trigger comes each minute. */
const OVERDUE_MINUTES = HEARTBEAT / MINUTE + 2

/** Of the applied configuration, its version and when that was (ISO 8601); and what in KV could not be read. */
export type Applied = { version: string; appliedAt: string; problems?: readonly string[] }

/** Since when work is due, and for how long no tick has come. */
type Overdue = { since: string; minutes: number }

export const overdueText = ({ since, minutes }: Overdue): string =>
  `work has been due since ${since}, and no tick has come for ${minutes} min: is the cron trigger on, does POST /api/tick work, and does KV take writes?`

/** Whether no tick has run with it yet, though some have run. */
export const isUnused = ({ version }: Applied, ledger: Ledger | null): boolean =>
  ledger !== null && ledger.config !== version

const NAMED = 5

/** Covered instances that are no longer listed since a few days. */
export function goneText(gone: readonly (readonly [key: string, since: string])[]): string {
  const keys = gone.map(([key]) => key).sort()
  const [since = ''] = gone.map(([, at]) => at).sort()
  const more = keys.length > NAMED ? ` and ${keys.length - NAMED} more` : ''
  const what = keys.length === 1 ? '1 covered instance has' : `${keys.length} covered instances have`
  const names = keys.slice(0, NAMED).join(', ')
  const why = "deleted, renamed, or no longer visible to the relay's certificate"
  return `${what} been missing since ${since}: ${names}${more} (${why})`
}

/**
 * Null while ticks come as they should: nothing is due yet, or one has observed since. Its result doesn't
 * matter, such as a server that is down or a copy that takes hours.
 */
export function overdueOf({ appliedAt }: Applied, ledger: Ledger | null, now: Date): Overdue | null {
  const due = ledger?.woken ?? ledger?.wakeAt ?? appliedAt
  const looked = Date.parse(ledger?.written ?? due)
  const minutes = Math.floor((now.getTime() - Math.max(Date.parse(due), looked)) / MINUTE)
  return minutes >= OVERDUE_MINUTES ? { since: due, minutes } : null
}
