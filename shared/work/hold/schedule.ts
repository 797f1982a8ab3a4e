/** Lifts the expiry of held snapshots while their policy's slot is served, because Incus would remove them anyway. */
import { parseSnapshotName } from '../../incus/snapshot-name.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding, Found } from '../../plan/finding.ts'
import type { Covered } from '../../policy/cover.ts'
import type { HoldAction } from './action.ts'

export function planHolds({ coverages }: PlanContext, { slots, busy }: Found): Finding {
  const due = new Set(slots.flatMap(({ policy, ledger }) => (ledger.open === null ? [] : [policy])))
  const covered = coverages.flatMap((coverage) => (due.has(coverage.policy.name) ? coverage.covered : []))
  return { actions: covered.filter(({ key }) => !busy.has(key)).flatMap(holdsOn) }
}

function holdsOn({ ref, record, policy, held }: Covered): HoldAction[] {
  if (policy.expiry === null) return []
  const reason = "held: Incus's own expiry is lifted from it"
  return [...held]
    .filter(
      (name) =>
        parseSnapshotName(name)?.policy === policy.name &&
        (record.snapshots ?? []).some(([taken]) => taken === name),
    )
    .map((snapshot) => ({ kind: 'hold', ref, policy: policy.name, snapshot, expiresAt: null, reason }))
}
