/** Snapshots that were taken as one go together: what keeps one of them keeps all. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import { groupsIn, isTogether } from '../../policy/together.ts'
import type { ExpireAction } from './action.ts'

/** By key: names that stay on it because another of its group keeps its own, each with the reason. */
export type Staying = ReadonlyMap<string, ReadonlyMap<string, string>>

/** `goingOf`: names that would go of one by itself. */
export function stayingIn(coverage: Coverage, goingOf: (one: Covered) => ReadonlySet<string>): Staying {
  const staying = new Map<string, Map<string, string>>()
  for (const group of groupsIn(coverage)) {
    const kept = new Map<string, string>()
    for (const one of group) {
      // What it has isn't known, so it may have all of them.
      if (one.record.snapshots === null)
        for (const [name] of group.flatMap(({ record }) => record.snapshots ?? [])) kept.set(name, one.key)
      const going = goingOf(one)
      for (const [name] of one.record.snapshots ?? []) if (!going.has(name)) kept.set(name, one.key)
    }
    for (const { key } of group)
      staying.set(
        key,
        new Map(
          [...kept].map(([name, by]) => [name, `it was taken together with that of ${by}, which stays`]),
        ),
      )
  }
  return staying
}

/** One of a group whose removal somebody asks for by name: it goes, or stays for a reason. */
export type Named = { action: ExpireAction } | { stays: string }

type Asked = { actions: readonly ExpireAction[]; coverages: readonly Coverage[] }

/** `kept`: what stays, of the actions. */
type Whole = { actions: ExpireAction[]; kept: { action: ExpireAction; reason: string }[] }

/** The rest of each group goes, too, or nothing of it. `ask`: about one that nobody has named. */
export function namedWhole(
  { actions, coverages }: Asked,
  ask: (one: Covered, pair: SnapshotPair) => Named,
): Whole {
  const more: ExpireAction[] = []
  const kept = new Map<ExpireAction, string>()
  for (const coverage of coverages) {
    const mine = [...actions, ...more].filter(({ snapshot }) => isTogether(coverage.policy, snapshot))
    if (mine.length === 0) continue
    for (const action of mine) {
      const unknown = coverage.covered.find((one) => isOf(one, action.ref) && one.record.snapshots === null)
      if (unknown !== undefined) kept.set(action, unknownReason(unknown))
    }
    for (const group of groupsIn(coverage))
      for (const name of new Set(mine.filter((one) => isIn(group, one)).map(({ snapshot }) => snapshot))) {
        const named = mine.filter((one) => one.snapshot === name && isIn(group, one))
        const unknown = group.find((one) => one.record.snapshots === null)
        const others = group.flatMap((one) => {
          const pair = (one.record.snapshots ?? []).find(([listed]) => listed === name)
          if (pair === undefined || named.some(({ ref }) => isOf(one, ref))) return []
          return [{ one, answer: ask(one, pair) }]
        })
        const stays = others.flatMap(({ one, answer }) =>
          'stays' in answer ? [{ key: one.key, why: answer.stays }] : [],
        )[0]
        if (unknown !== undefined) for (const action of named) kept.set(action, unknownReason(unknown))
        else if (stays !== undefined)
          for (const action of named)
            kept.set(action, `it was taken together with that of ${stays.key}, which stays: ${stays.why}`)
        else more.push(...others.flatMap(({ answer }) => ('action' in answer ? [answer.action] : [])))
      }
  }
  return {
    actions: [...actions, ...more].filter((action) => !kept.has(action)),
    kept: [...kept].map(([action, reason]) => ({ action, reason })),
  }
}

/** It may have that one as well. */
const unknownReason = ({ key, record }: Covered): string =>
  `${key}: ${record.problem ?? 'its snapshots could not be listed'}`

const isOf = ({ ref }: Covered, other: ExpireAction['ref']): boolean =>
  ref.remote === other.remote && ref.project === other.project && ref.instance === other.instance

const isIn = (group: readonly Covered[], { ref }: ExpireAction): boolean =>
  group.some((one) => isOf(one, ref))
