/** Instances that an open slot still waits for: nothing of them expires. */
import { own } from '../../own.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding } from '../../plan/finding.ts'
import { takenFor } from './taken.ts'

export function guardSnapshots({ coverages, ledger }: PlanContext): Finding {
  const keys = coverages.flatMap(({ policy, covered }) => {
    const open = own(ledger.policies, policy.name)?.open ?? null
    if (open === null) return []
    return covered.flatMap(({ key, record }) =>
      takenFor(policy.name, open, record.snapshots ?? []).length > 0 ? [] : [key],
    )
  })
  return { failing: new Set(keys) }
}
