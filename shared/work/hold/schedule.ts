/** Lifts the expiry of held snapshots while their policy's slot is served, because Incus would remove them anyway. */
import { isManual, parseSnapshotName } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding, Found } from '../../plan/finding.ts'
import type { Covered } from '../../policy/cover.ts'
import type { HoldAction } from './action.ts'

export function planHolds({ coverages }: PlanContext, { slots, busy }: Found): Finding {
  const due = new Set(slots.flatMap(({ policy, ledger }) => (ledger.open === null ? [] : [policy])))
  const covered = coverages.flatMap((coverage) => (due.has(coverage.policy.name) ? coverage.covered : []))
  const actions = covered.filter(({ key }) => !busy.has(key)).flatMap(holdsOn)
  // Several policies may lift that of a snapshot on request.
  const first = new Map(actions.toReversed().map((one) => [`${subjectKey(one.ref)}/${one.snapshot}`, one]))
  return { actions: actions.filter((one) => first.get(`${subjectKey(one.ref)}/${one.snapshot}`) === one) }
}

function holdsOn({ ref, record, policy, held }: Covered): HoldAction[] {
  const expiring = (name: string): boolean =>
    isManual(name)
      ? policy.manual.expiry !== null
      : policy.expiry !== null && parseSnapshotName(name)?.policy === policy.name
  const reason = "held: Incus's own expiry is lifted from it"
  return [...held]
    .filter((name) => expiring(name) && (record.snapshots ?? []).some(([taken]) => taken === name))
    .map((snapshot) => ({ kind: 'hold', ref, policy: policy.name, snapshot, expiresAt: null, reason }))
}
