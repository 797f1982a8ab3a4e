/** A snapshot in a simulation: when it is taken, and when those that exist expire. */
import { MANUAL, ownSnapshot } from '../../incus/snapshot-name.ts'
import type { PlanContext } from '../../plan/context.ts'
import { isSafety, safetyExpiry } from '../../plan/safety.ts'
import type { Covered } from '../../policy/cover.ts'
import type { IdealIncus } from '../../simulate/ideal-incus.ts'
import type { Simulated, SnapshotEnd } from '../kind.ts'
import type { GroupAction, SnapshotAction } from './action.ts'
import { ownEnd, requestedEnd } from './own-end.ts'

export function simulateSnapshot({ ref, name, expiresAt }: SnapshotAction, incus: IdealIncus): Simulated {
  incus.take(ref, name, expiresAt)
  return 'done'
}

export function simulateGroup({ parts }: GroupAction, incus: IdealIncus): Simulated {
  for (const part of parts) simulateSnapshot(part, incus)
  return 'done'
}

/** As it was set when each was taken. */
export function snapshotEnds(context: PlanContext): SnapshotEnd[] {
  const covering = new Map<string, Covered[]>()
  for (const one of context.coverages.flatMap(({ covered }) => covered))
    covering.set(one.key, [...(covering.get(one.key) ?? []), one])
  return [...covering.values()].flatMap((all) => endsOn(all, context))
}

function endsOn(covering: readonly Covered[], { world, ledger }: PlanContext): SnapshotEnd[] {
  const [first] = covering
  if (first === undefined) return []
  const { ref, record, held } = first
  return (record.snapshots ?? []).flatMap((pair): SnapshotEnd[] => {
    const [snapshot, createdAt] = pair
    const policy = ownSnapshot(pair)?.policy
    if (policy === undefined || held.has(snapshot)) return []
    const taken = new Date(createdAt * 1000)
    const ending = { ref, world, ledger, now: taken }
    if (isSafety(snapshot)) return [{ ref, snapshot, end: safetyExpiry(taken, taken) }]
    const named = covering.find((one) => one.policy.name === policy)
    const end =
      named !== undefined
        ? ownEnd(named.policy, ending)
        : policy === MANUAL
          ? requestedEnd(
              covering.map((one) => one.policy),
              ending,
            )
          : null
    return [{ ref, snapshot, end }]
  })
}
