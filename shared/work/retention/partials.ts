/** Whether snapshots that may be partial may be removed. */
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { Guards, PartialSnapshot } from '../../plan/finding.ts'
import type { Coverage } from '../../policy/cover.ts'
import { stopOf } from './guards.ts'

export const PARTIAL = 'it is not known whether it was completed, so it may be partial'

/**
 * Most of them are complete. So a held one is kept, and the only one of its policy, and one that a copy's
 * next refresh needs; and all are kept while nothing of the instance may be removed. `taking`: another one of
 * the policy is taken in this run, before the removal.
 */
export function mayClear(
  { ref, policy, snapshot }: PartialSnapshot,
  { covered }: Coverage,
  guards: Guards,
  taking: ReadonlySet<string>,
): boolean {
  const one = covered.find(({ key }) => key === subjectKey(ref))
  if (one === undefined || one.held.has(snapshot) || stopOf(one, guards) !== null) return false
  if (guards.needed.get(one.key)?.has(snapshot) === true) return false
  if (taking.has(`${policy} ${one.key}`)) return true
  return (one.record.snapshots ?? []).some(
    (pair) => ownSnapshot(pair)?.policy === policy && !guards.incomplete.has(`${one.key}/${pair[0]}`),
  )
}
