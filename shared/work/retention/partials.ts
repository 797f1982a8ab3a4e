/** Snapshots that may be partial, and whether they may go. */
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { Guards, PartialSnapshot } from '../../plan/finding.ts'
import type { Coverage } from '../../policy/cover.ts'
import { stopOf } from './guards.ts'

export const PARTIAL = 'it is not known whether it was completed, so it may be partial'

/**
 * Most of them are whole, only nobody saw it. So one that is held stays, as does the only one of its policy, and one
 * that a copy's next refresh builds on; and all stay while nothing of the instance may be removed. `taking`: where
 * one is taken in this run, it is taken before.
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
