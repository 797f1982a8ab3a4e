/** Failed tries of a restore in place: the first one is made up for at once, then it takes longer, and ends. */
import type { RestoreLedger } from '../ledger/ledger.ts'
import { minutesFrom } from '../schedule/moment.ts'

/** From which of its steps another try begins. */
export type Stage =
  | { from: 'safety'; half: string | null } // nothing was changed yet
  | { from: 'data' } // the safety snapshot is whole; the instance's data may be a mixture
  | { from: 'marks' } // restored

const TRIES = 5
/** So often an instance that was restored is started. */
export const STARTS = 3

export const isDue = ({ retryAt }: RestoreLedger, now: Date): boolean =>
  retryAt === undefined || new Date(retryAt) <= now

/** Once this try has failed there is no further one; not asked of one whose failure is counted already. */
export const isLast = ({ attempts, marking = 0, retryAt }: RestoreLedger): boolean =>
  retryAt === undefined && attempts + 1 - marking >= TRIES

/** However often it was tried, by whatever the ledger says. */
const LONGEST_MINUTES = 30

/** `failed` when there is no further try. */
export function broken(entry: RestoreLedger, reason: string, hopeless: boolean, now: Date): RestoreLedger {
  const attempts = entry.attempts + 1
  if (hopeless || isLast(entry)) return { ...entry, state: 'failed', attempts, reason }
  const retryAt = minutesFrom(now, attempts === 1 ? 0 : Math.min(2 ** (attempts - 2), LONGEST_MINUTES))
  return { ...entry, attempts, reason, retryAt }
}

/** Nothing was changed, and why. */
export const UNTOUCHED = (snapshot: string, why: string): string =>
  `it was not restored to ${snapshot}, nothing was changed: ${why}`

/** The disk is the snapshot's all the same. */
export const MEMORYLESS = (why = 'nobody saw how it ended'): string =>
  `its memory was not restored, and so it was booted anew: ${why}`

/** Of an instance that ran before, and doesn't. */
export function notStarted(instance: string, { refused, snapshot, safety, reason }: RestoreLedger): string {
  const why = reason === undefined ? '' : `: ${reason}`
  return refused === true
    ? `${reason ?? `it was not restored to ${snapshot}`}; it is stopped and doesn't start again: incus start ${instance}`
    : `it was restored to ${snapshot}, but it is stopped, for it doesn't start${why}; see to that, then incus start ${instance}, or restore ${safety}, the state before`
}

/** What is left of a restore that was given up, and what to do. */
export const GIVEN_UP: Record<Stage['from'], (entry: RestoreLedger) => string> = {
  safety: ({ snapshot, reason }) => `it was not restored to ${snapshot}, nothing was changed: ${reason}`,
  data: ({ snapshot, safety, reason }) =>
    `putting it back to ${snapshot} failed: ${reason}; it may hold half of it, and so isn't started; the state before is in ${safety}: restore that, or ${snapshot} again`,
  marks: ({ snapshot, safety, holds, reason }) => {
    const keys = Object.entries(holds).map(([key, value]) => `${key}=${value}`)
    const lost = keys.length === 0 ? '' : `; set again what its snapshot didn't know: ${keys.join(', ')}`
    return `it was restored to ${snapshot}, but couldn't be marked: ${reason}${lost}; the state before is in ${safety}`
  },
}
