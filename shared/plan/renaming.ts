/** What keeps a snapshot from getting another name: whatever knows it by that one. */
import { isIn } from '../incus/pairs.ts'
import { own } from '../own.ts'
import { holdsOf, undoableOn } from '../policy/marks.ts'
import { targetOf } from '../policy/places.ts'
import type { Requested } from '../work/kind.ts'
import { copiesOf } from './copies-of.ts'
import type { Found } from './find.ts'
import type { Refusal } from './plan.ts'
import type { AnyRequest } from './request.ts'

/**
 * A copy's next refresh would take a renamed one for two: one that is gone and one that is new. Null: nothing keeps it.
 */
export function nameKept(
  { key, ref, record, snapshots }: Found,
  snapshot: string,
  requested: Requested<AnyRequest>,
): Refusal | null {
  const { world, ledger, coverages, found } = requested
  const guards = requested.guards()
  // What would start in a run by schedule doesn't in this one.
  const blocked = guards.starting.has(key) ? undefined : guards.blocked.get(key)
  const busy = found.busy.get(key) ?? blocked
  const refusal = (code: Refusal['code'], why: string): Refusal => ({
    code,
    reason: `${snapshot} of ${key} keeps its name: ${why}`,
  })
  if (busy !== undefined) return refusal('busy', `${busy}; try again when that has ended`)
  if (holdsOf(record).has(snapshot) || found.held.get(key)?.has(snapshot) === true)
    return refusal('not-ours', 'it is held by it: release it first, and hold it again under the new one')
  if (undoableOn(record).has(snapshot))
    return refusal('not-ours', 'somebody has removed it: take that back first, with undo')
  const needed = guards.needed.get(key)?.get(snapshot)
  if (needed !== undefined) return refusal('busy', needed)
  const pair = snapshots.find(([name]) => name === snapshot)
  for (const copy of copiesOf(key, { world, ledger })) {
    if (copy.record.snapshots === null)
      return refusal('unreadable', `whether ${copy.key} has it can't be read now`)
    if (pair !== undefined && isIn(copy.record.snapshots, pair))
      return refusal(
        'not-ours',
        `${copy.key} has it, too. Under another name its next refresh would send it again, and remove the one that is there`,
      )
  }
  const silent = coverages
    .flatMap(({ covered }) => covered)
    .flatMap((one) =>
      one.key === key && one.policy.copy !== null ? [targetOf(ref, one.policy.copy).remote] : [],
    )
    .find((remote) => own(world.remotes, remote)?.ok !== true)
  return silent === undefined
    ? null
    : refusal('unreadable', `${silent} gives no answer, so it isn't known whether its copy has it`)
}
