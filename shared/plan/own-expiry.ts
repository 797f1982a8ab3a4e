/** The expiry that stapes sets on a snapshot again. */
import { expiresAt } from '../incus/expiry.ts'
import { parseSnapshotName } from '../incus/snapshot-name.ts'
import type { PlanInput } from './context.ts'
import type { Found } from './find.ts'
import { isSafety, safetyExpiry } from './safety.ts'

/** By its policy, counted from its creation, and at least a day from now (ISO 8601); null: never. */
export function ownExpiry(
  { key, snapshots }: Found,
  snapshot: string,
  { coverages, now }: Pick<PlanInput, 'coverages' | 'now'>,
): string | null {
  const created = snapshots.find(([name]) => name === snapshot)?.[1]
  if (created === undefined) return null
  const from = new Date(created * 1000)
  if (isSafety(snapshot)) return safetyExpiry(from, now)
  const policy = parseSnapshotName(snapshot)?.policy
  const covered = coverages
    .flatMap((coverage) => coverage.covered)
    .find((one) => one.key === key && one.policy.name === policy)
  const expiry = covered?.policy.expiry ?? null
  if (expiry === null) return null
  const soonest = now.getTime() + 86_400_000
  return new Date(Math.max(expiresAt(expiry, from).getTime(), soonest)).toISOString()
}
