/** Snapshots on request: their policy's settings say how long Incus keeps them, and no rule counts them. */
import { expiresAt } from '../incus/expiry.ts'
import type { Policy } from '../policy/policy.ts'

/** When Incus removes one that was taken then under one of these policies, by the longest (ISO 8601); null: never. */
export function manualExpiry(policies: readonly Pick<Policy, 'manual'>[], taken: Date): string | null {
  const ends = policies.map(({ manual: { expiry } }) => (expiry === null ? null : expiresAt(expiry, taken)))
  if (ends.length === 0 || ends.includes(null)) return null
  return new Date(Math.max(...ends.map((end) => end?.getTime() ?? 0))).toISOString()
}

/** The later of the two: what expires is no less than a day away. */
export const atLeastADay = (end: string, now: Date): string =>
  new Date(Math.max(Date.parse(end), now.getTime() + 86_400_000)).toISOString()
