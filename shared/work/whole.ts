/** What is done to one snapshot of those that were taken as one is done to all of them. */
import { findSubject } from '../plan/find.ts'
import type { Refusal } from '../plan/plan.ts'
import type { AnyRequest, OneSnapshot } from '../plan/request.ts'
import type { Coverage } from '../policy/cover.ts'
import { groupsIn, isTogether } from '../policy/together.ts'
import type { Answer, Requested } from './kind.ts'

type Plan<R extends AnyRequest> = (requested: Requested<R>) => Answer | Refusal

/** Refused as a whole if it is refused for one. */
export const forWhole =
  <R extends AnyRequest & OneSnapshot>(plan: Plan<R>): Plan<R> =>
  (requested) => {
    const { request, world, coverages } = requested
    const first = plan(requested)
    const instance = findSubject(world, request.instance)
    if ('code' in first || !instance.ok) return first
    const unknown = unknownOf(instance.value.key, request.snapshot, coverages)
    if (unknown !== null) return { code: 'unreadable', reason: `${instance.value.key}: ${unknown}` }
    const answers = othersOf(instance.value.key, request.snapshot, coverages).map((key) =>
      plan({ ...requested, request: { ...request, instance: key } }),
    )
    const refused = answers.find((answer) => 'code' in answer)
    if (refused !== undefined) return refused
    const all = [first, ...answers].flatMap((answer) => ('code' in answer ? [] : [answer]))
    return {
      ...first,
      actions: all.flatMap(({ actions = [] }) => actions),
      notes: all.flatMap(({ notes = [] }) => notes),
    }
  }

/** Why it isn't known what was taken together with it, by a policy that did that; null: it is. */
function unknownOf(key: string, snapshot: string, coverages: readonly Coverage[]): string | null {
  const mine = coverages.filter(({ policy }) => isTogether(policy, snapshot))
  const found = mine.flatMap(({ covered }) => covered.filter((one) => one.key === key))
  return found.find(({ record }) => record.snapshots === null)?.record.problem ?? null
}

/** Keys of those that have the snapshot as well, and were taken together with it. */
function othersOf(key: string, snapshot: string, coverages: readonly Coverage[]): string[] {
  const mine = coverages.filter(({ policy }) => isTogether(policy, snapshot)).flatMap(groupsIn)
  const group = mine.find((one) => one.some((member) => member.key === key)) ?? []
  return group.flatMap((one) =>
    one.key !== key && (one.record.snapshots ?? []).some(([name]) => name === snapshot) ? [one.key] : [],
  )
}
