/** Sorts a policy's snapshots into those that retention keeps and those that expire, counting what was observed. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { isTimely, parseSnapshotName, type SnapshotName } from '../incus/snapshot-name.ts'
import type { Policy } from '../policy/policy.ts'
import { applyKeep } from './apply.ts'
import type { Keep, Retention } from './keep.ts'

export type Sorter = {
  /**
   * Sorts one policy's snapshots of one instance. Only names before `before` (the snapshot of the slot being
   * served) take part, so that the result is the same before and after that snapshot was taken.
   */
  sort(
    policy: Policy,
    keep: Keep,
    snapshots: readonly SnapshotPair[],
    held: ReadonlySet<string>,
    before: string | null,
  ): Retention
}

/** For one `Keep`: the policy's snapshots of an instance without holds, and how they were sorted. */
type CachedAnswer = { policy: string; timezone: string; names: string[]; answer: Retention }

/** Answers cached per `Keep`. */
const CACHED = 8

/** Instances of a policy mostly have the same slots, so each distinct list is sorted once per run. */
export function createSorter(now: Date): Sorter {
  const cache = new Map<Keep, CachedAnswer[]>()
  const isMine = createMine()
  return {
    sort(policy, keep, snapshots, held, before) {
      const cached = cache.get(keep) ?? []
      const mine = (pair: SnapshotPair): boolean =>
        (before === null || pair[0] < before) && isMine(pair, policy.name)
      const earlier = held.size > 0 ? undefined : cached.find((one) => isSame(one, policy, snapshots, mine))
      if (earlier !== undefined) return earlier.answer
      const names = snapshots.filter(mine).map(([name]) => name)
      const candidates = names.flatMap((name) => {
        const parsed = parseSnapshotName(name)
        return parsed === null ? [] : [{ name, slot: parsed.slot, held: held.has(name) }]
      })
      const answer = applyKeep(keep, { timezone: policy.timezone, now, candidates })
      const { name, timezone } = policy
      if (held.size === 0)
        cache.set(keep, [{ policy: name, timezone, names, answer }, ...cached].slice(0, CACHED))
      return answer
    },
  }
}

/** By `ownSnapshot`, with each name parsed once: this runs for every snapshot in every run. */
function createMine(): (pair: SnapshotPair, policy: string) => boolean {
  const names = new Map<string, SnapshotName | null>()
  return ([name, createdAt], policy) => {
    if (!name.startsWith(policy)) return false
    let parsed = names.get(name)
    if (parsed === undefined) {
      parsed = parseSnapshotName(name)
      names.set(name, parsed)
    }
    return parsed?.policy === policy && isTimely(parsed, createdAt)
  }
}

/** Compared name by name, without an array of them: this runs for every instance in every run. */
function isSame(
  { policy, timezone, names }: CachedAnswer,
  current: Policy,
  snapshots: readonly SnapshotPair[],
  isMine: (pair: SnapshotPair) => boolean,
): boolean {
  if (policy !== current.name || timezone !== current.timezone) return false
  let at = 0
  for (const pair of snapshots) {
    if (!isMine(pair)) continue
    if (pair[0] !== names[at]) return false
    at += 1
  }
  return at === names.length
}

export type Reasoned = { snapshot: string; reason: string }

/** Snapshots of one instance that retention no longer keeps and no copy needs. */
export const expiredOf = ({ expire }: Retention, needed: ReadonlyMap<string, string>): Reasoned[] =>
  expire.flatMap(({ name, reason }) => (needed.has(name) ? [] : [{ snapshot: name, reason }]))

/** Snapshots of one instance that are kept and why, for people: by retention, then those that copies need. */
export const keptOf = ({ keep, expire }: Retention, needed: ReadonlyMap<string, string>): Reasoned[] => [
  ...keep.map(({ name, reasons }) => ({ snapshot: name, reason: reasons.join(', ') })),
  ...expire.flatMap(({ name }) => {
    const reason = needed.get(name)
    return reason === undefined ? [] : [{ snapshot: name, reason }]
  }),
]
