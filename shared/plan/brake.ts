/**
 * What the brake holds back: a refresh that would remove verified snapshots which nobody is known to have let
 * go, and an expiry that takes too much at once. It is noted by a key, so that the status shows it first until
 * it is confirmed or no longer so.
 */
import { keyIn, kindIn, subjectIn } from '../ledger/work.ts'

/** A refresh of this replica (`source key>destination key`). */
export const refreshKey = (replica: string): string => `copy ${replica}`

/** An expiry of a policy's snapshots of this instance. */
export const expiryKey = (policy: string, instance: string): string => `expiry ${policy} ${instance}`

/** A removal of a policy's exports of this instance. */
export const thinningKey = (policy: string, instance: string): string => `exports ${policy} ${instance}`

/** So many are noted; more are counted. */
const NOTED = 50
const MORE = 'more'

/** The instance that such a key is about; null: none in particular. */
export function instanceIn(key: string): string | null {
  if (key === MORE) return null
  return ['expiry', 'exports'].includes(kindIn(key)) ? keyIn(keyIn(key)) : subjectIn(key)
}

export function atMost(braked: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(braked).filter(([key]) => key !== MORE)
  const more = entries.length - NOTED
  return Object.fromEntries([
    ...entries.slice(0, NOTED),
    ...(more > 0 ? [[MORE, `and the brake holds back ${more} more: /backup plan shows them`] as const] : []),
  ])
}

/** Whether the last look held back an expiry of this policy, as far as is noted. */
export const wasBraked = (braked: Readonly<Record<string, string>> | undefined, policy: string): boolean =>
  Object.keys(braked ?? {}).some((key) => key === MORE || key.startsWith(expiryKey(policy, '')))
