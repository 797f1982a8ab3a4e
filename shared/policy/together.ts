/** Instances and their attached volumes that a policy takes as one. */
import { isManual, parseSnapshotName } from '../incus/snapshot-name.ts'
import type { Coverage, Covered } from './cover.ts'
import { isVolume, usersText } from './volumes.ts'

/**
 * Each with its instances first. A volume that several instances use makes one group of all of them: each of them writes to
 * it. What has no volume is taken by itself; with a hook, it is a group of its own.
 */
export function groupsIn({ policy, covered }: Pick<Coverage, 'policy' | 'covered'>): Covered[][] {
  if (policy.together == null) return []
  const instances = new Map(covered.filter(({ record }) => !isVolume(record)).map((one) => [one.key, one]))
  const groups = new Map<string, Set<Covered>>()
  for (const volume of covered.filter(({ record }) => isVolume(record)))
    join(groups, volume, usersOf(volume, instances))
  const joined = [...new Set(groups.values())]
    .map((group) => [...group].sort(byKind))
    .filter(({ length }) => length > 1)
  if (policy.together.hook === undefined) return joined
  const alone = [...instances.values()].filter(({ key }) => !joined.flat().some((one) => one.key === key))
  return [...joined, ...alone.map((one) => [one])]
}

const usersOf = ({ ref, record }: Covered, instances: ReadonlyMap<string, Covered>): Covered[] =>
  (record.users ?? []).flatMap((user) => instances.get(`${ref.remote}/${user}`) ?? [])

function join(groups: Map<string, Set<Covered>>, volume: Covered, users: readonly Covered[]): void {
  const all = new Set([volume, ...users])
  for (const { key } of users) for (const one of groups.get(key) ?? []) all.add(one)
  for (const { key } of all) groups.set(key, all)
}

const byKind = (a: Covered, b: Covered): number =>
  Number(isVolume(a.record)) - Number(isVolume(b.record)) || (a.key < b.key ? -1 : 1)

/** With all of each group of which some is wanted. */
export const wholeGroups =
  (coverages: readonly Coverage[]) =>
  (wanted: Coverage): Coverage => {
    const whole = coverages.find(({ policy }) => policy.name === wanted.policy.name)
    const keys = new Set(wanted.covered.map(({ key }) => key))
    const groups = whole === undefined ? [] : groupsIn(whole)
    const more = groups.filter((group) => group.some(({ key }) => keys.has(key))).flat()
    const all = new Map([...wanted.covered, ...more].map((one) => [one.key, one]))
    return { ...wanted, covered: [...all.values()] }
  }

/** Whether such snapshots of the policy's groups belong together: its own, and those on request. */
export const isTogether = ({ together, name }: Coverage['policy'], snapshot: string): boolean =>
  together != null && (isManual(snapshot) || parseSnapshotName(snapshot)?.policy === name)

/** Whoever uses a volume of a group and isn't in it writes on while it is taken. */
export function strangersIn(group: readonly Covered[]): { about: string; reason: string }[] {
  const keys = new Set(group.map(({ key }) => key))
  return group.flatMap(({ key, ref, record }) => {
    const others = (record.users ?? []).filter((user) => !keys.has(`${ref.remote}/${user}`))
    return others.length === 0
      ? []
      : [
          {
            about: key,
            reason: `it is also attached to ${usersText(ref.remote, others.slice(0, NAMED))}, which the policy doesn't cover and which doesn't stand still while it is taken together with the rest: have the policy cover that, too`,
          },
        ]
  })
}

const NAMED = 5

/** A hold on a snapshot of one holds those of the others of that name. */
export function heldTogether<One extends Covered>(coverage: {
  policy: Coverage['policy']
  covered: readonly One[]
}): One[] {
  const groups = groupsIn({ policy: coverage.policy, covered: [...coverage.covered] })
  const held = new Map<string, ReadonlySet<string>>()
  for (const group of groups) {
    const all = new Set(group.flatMap((one) => [...one.held]))
    if (all.size > 0) for (const { key } of group) held.set(key, all)
  }
  return held.size === 0
    ? [...coverage.covered]
    : coverage.covered.map((one) => {
        const listed = (one.record.snapshots ?? []).filter(([name]) => held.get(one.key)?.has(name) === true)
        const more = listed.filter(([name]) => !one.held.has(name) && isTogether(coverage.policy, name))
        return more.length === 0
          ? one
          : { ...one, held: new Set([...one.held, ...more.map(([name]) => name)]) }
      })
}
