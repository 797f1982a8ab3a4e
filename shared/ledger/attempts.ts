/** Failed tries, and the backoff until the next one. */
import { minutesFrom } from '../schedule/moment.ts'
import type { Attempt } from './ledger.ts'

/** Minutes until the next try, after so many have failed: 1, 2, 4, 8, … */
export const backoffMinutes = (count: number, longest: number): number => Math.min(2 ** (count - 1), longest)

/**
 * A snapshot's failed try: 1, 2, 4, 8, 16 minutes later again, then each half hour, until the slot is
 * too old to be served (`until`; null: trying again won't help).
 */
export function failAttempt(
  before: Attempt | undefined,
  reason: string,
  now: Date,
  until: Date | null,
): Attempt {
  const count = (before?.count ?? 0) + 1
  const retryAt = minutesFrom(now, backoffMinutes(count, 30))
  const base: Attempt = { count, reason, ...unseenOf(before) }
  return until === null || new Date(retryAt) > until ? base : { ...base, retryAt }
}

/** What an earlier try may have left is still noted. */
const unseenOf = (before: Attempt | undefined): Pick<Attempt, 'unseen' | 'name'> =>
  before?.unseen === true ? { unseen: true, ...(before.name === undefined ? {} : { name: before.name }) } : {}
