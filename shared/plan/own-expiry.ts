/** The expiry that stapes sets on a snapshot again. */
import { expiresAt } from '../incus/expiry.ts'
import { MANUAL, parseSnapshotName } from '../incus/snapshot-name.ts'
import type { PlanInput } from './context.ts'
import type { Found } from './find.ts'
import { atLeastADay, manualExpiry } from './manual.ts'
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
  const covering = coverages.flatMap((coverage) => coverage.covered).filter((one) => one.key === key)
  const expiry = covering.find((one) => one.policy.name === policy)?.policy.expiry ?? null
  const policies = covering.map((one) => one.policy)
  const end =
    expiry !== null
      ? expiresAt(expiry, from).toISOString()
      : policy === MANUAL
        ? manualExpiry(policies, from)
        : null
  return end === null ? null : atLeastADay(end, now)
}
