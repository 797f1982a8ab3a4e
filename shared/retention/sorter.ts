/** What retention no longer keeps on the source: counted on what was observed, behind the rails. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { isTimely, parseSnapshotName, type SnapshotName } from '../incus/snapshot-name.ts'
import type { Policy } from '../policy/policy.ts'
import { applyKeep } from './apply.ts'
import type { Keep, Retention } from './keep.ts'

export type Sorter = {
  /**
   * Sorts one policy's snapshots of one instance. Those named `besides` (for the slot being
   * served) or later take no part, so that the result is the same before and after that snapshot was taken.
   */
  sort(
    policy: Policy,
    keep: Keep,
    snapshots: readonly SnapshotPair[],
    held: ReadonlySet<string>,
    besides: string | null,
  ): Retention
}

/** What was asked of one `Keep`: the policy's snapshots of an instance that holds none of them back. */
type Asked = { policy: string; timezone: string; names: string[]; answer: Retention }

/** Different questions remembered per `Keep`. */
const REMEMBERED = 8

/** Instances of a policy mostly have the same slots, so equal questions are answered once per run. */
export function createSorter(now: Date): Sorter {
  const known = new Map<Keep, Asked[]>()
  const isMine = createMine()
  return {
    sort(policy, keep, snapshots, held, besides) {
      const asked = known.get(keep) ?? []
      const mine = (pair: SnapshotPair): boolean =>
        (besides === null || pair[0] < besides) && isMine(pair, policy.name)
      const before = held.size > 0 ? undefined : asked.find((one) => isSame(one, policy, snapshots, mine))
      if (before !== undefined) return before.answer
      const names = snapshots.filter(mine).map(([name]) => name)
      const candidates = names.flatMap((name) => {
        const parsed = parseSnapshotName(name)
        return parsed === null ? [] : [{ name, slot: parsed.slot, held: held.has(name) }]
      })
      const answer = applyKeep(keep, { timezone: policy.timezone, now, candidates })
      const { name, timezone } = policy
      if (held.size === 0)
        known.set(keep, [{ policy: name, timezone, names, answer }, ...asked].slice(0, REMEMBERED))
      return answer
    },
  }
}

/** By `ownSnapshot`, with each name read once: this is asked of every snapshot in every run. */
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

/** Compared name by name, without gathering them: this is asked of every instance in every run. */
function isSame(
  { policy, timezone, names }: Asked,
  asking: Policy,
  snapshots: readonly SnapshotPair[],
  isMine: (pair: SnapshotPair) => boolean,
): boolean {
  if (policy !== asking.name || timezone !== asking.timezone) return false
  let at = 0
  for (const pair of snapshots) {
    if (!isMine(pair)) continue
    if (pair[0] !== names[at]) return false
    at += 1
  }
  return at === names.length
}

export type Reasoned = { snapshot: string; reason: string }

/** What retention no longer keeps of one instance, without what the copies still need. */
export const letGo = ({ expire }: Retention, needed: ReadonlyMap<string, string>): Reasoned[] =>
  expire.flatMap(({ name, reason }) => (needed.has(name) ? [] : [{ snapshot: name, reason }]))

/** What stays of one instance and why, for people: retention's own, then what the copies need. */
export const holdBack = ({ keep, expire }: Retention, needed: ReadonlyMap<string, string>): Reasoned[] => [
  ...keep.map(({ name, reasons }) => ({ snapshot: name, reason: reasons.join(', ') })),
  ...expire.flatMap(({ name }) => {
    const reason = needed.get(name)
    return reason === undefined ? [] : [{ snapshot: name, reason }]
  }),
]
