/** What the notebook tells of the ticks themselves: whether they come, and know the applied configuration. */
import type { Ledger } from './ledger.ts'

/** Something was due and nobody looked: the cron trigger comes each minute. */
const OVERDUE_MINUTES = 5

/** Of the applied configuration, its version and when that was (ISO 8601). */
export type Applied = { version: string; appliedAt: string }

export function warningsOf({ version, appliedAt }: Applied, ledger: Ledger | null, now: Date): string[] {
  const due = ledger === null || ledger.wakeAt < appliedAt ? appliedAt : ledger.wakeAt
  const late = Math.floor((now.getTime() - new Date(due).getTime()) / 60_000)
  const hint = 'is the cron trigger on, and does POST /api/tick work?'
  const overdue = late >= OVERDUE_MINUTES && !isCopying(ledger)
  return [
    ...(overdue ? [`something is due since ${due}, and no tick came for ${late} min: ${hint}`] : []),
    ...(ledger === null || ledger.config === version
      ? []
      : ['no tick has looked at the applied configuration yet']),
  ]
}

/** A copy that goes on as before is watched each minute without a note of it. */
const isCopying = (ledger: Ledger | null): boolean =>
  Object.values(ledger?.copies ?? {}).some(({ state }) => state === 'started' || state === 'running')
