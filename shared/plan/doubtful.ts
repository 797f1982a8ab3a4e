/**
 * Snapshots that may be partial: nobody saw the end of their creation. While their slot is open they
 * are made again; after it they go, as soon as their instance can be looked at.
 */
import { instanceKey } from '../incus/inventory.ts'
import { ownSnapshot, parseSnapshotName } from '../incus/snapshot-name.ts'
import type { Ledger, PolicyLedger } from '../ledger/ledger.ts'
import { unseenIn } from '../ledger/unseen.ts'
import type { Coverage } from '../policy/cover.ts'
import { type Rails, stopOf } from './expiring.ts'
import type { ExpireAction, SnapshotAction } from './plan.ts'
import type { World } from './world.ts'

/** All of a policy's: neither copies nor retention count on them. */
export const doubtfulIn = (policy: string, { open, doubtful = [] }: PolicyLedger): string[] => [
  ...doubtful,
  ...unseenIn(policy, open),
]

/** The world in which what the ledger doubts is not there yet. */
export const sureOf = (world: World, { policies }: Ledger): World => {
  const doubtful = Object.entries(policies).flatMap(([policy, ledger]) => doubtfulIn(policy, ledger))
  return { ...world, incomplete: new Set([...world.incomplete, ...world.unseen, ...doubtful]) }
}

/** With those that the relay saw no end of, and that the ledger has lost, or never heard of. */
export function withUnseen(
  policy: string,
  ledger: PolicyLedger,
  { unseen }: Pick<World, 'unseen'>,
): PolicyLedger {
  const known = new Set(doubtfulIn(policy, ledger))
  const lost = [...unseen].filter(
    (entry) =>
      !known.has(entry) && parseSnapshotName(entry.slice(entry.lastIndexOf('/') + 1))?.policy === policy,
  )
  return lost.length === 0 ? ledger : { ...ledger, doubtful: [...(ledger.doubtful ?? []), ...lost] }
}

/**
 * Removes what is listed of them now, and keeps in mind what can't be looked at, or may not go in this
 * very run; what is not there any more is forgotten.
 */
export function clearDoubtful(
  { policy, covered, unreadable }: Coverage,
  doubtful: readonly string[],
  world: Pick<World, 'find'>,
): { doubtful: string[]; partials: ExpireAction[] } {
  const partials: ExpireAction[] = []
  const left = doubtful.filter((entry) => {
    const at = entry.lastIndexOf('/')
    const [key, snapshot] = [entry.slice(0, at), entry.slice(at + 1)]
    const found = covered.find((one) => one.key === key)
    if (found === undefined) {
      const unread = unreadable.some((remote) => `remote:${key}`.startsWith(`${remote.key}/`))
      // Left out for a while, perhaps: what is doubted stays so.
      return unread || lists(world, key, snapshot)
    }
    const { ref, record } = found
    if (record.snapshots === null) return true
    if (!record.snapshots.some(([name]) => name === snapshot)) return false
    partials.push({ kind: 'expire', ref, policy: policy.name, snapshot, reason })
    return true
  })
  return { doubtful: left, partials }
}

function lists(world: Pick<World, 'find'>, key: string, snapshot: string): boolean {
  const [remote = '', project = '', instance = ''] = key.split('/')
  const record = world.find({ remote, project, instance })
  return record !== undefined && record.snapshots?.some(([name]) => name === snapshot) !== false
}

/**
 * Most of them are whole, only nobody saw it. So one that is held stays, as does the only one of its policy, and one
 * that a copy's next refresh builds on; and all stay while nothing of the instance may be removed. `taking`: where
 * one is taken in this run, it is taken before.
 */
export function mayClear(
  { ref, policy, snapshot }: ExpireAction,
  { covered }: Coverage,
  rails: Rails,
  taking: readonly SnapshotAction[],
): boolean {
  const one = covered.find(({ key }) => key === instanceKey(ref))
  if (one === undefined || one.held.has(snapshot) || stopOf(one, rails) !== null) return false
  if (rails.copies.needed.get(one.key)?.has(snapshot) === true) return false
  if (taking.some((take) => take.policy === policy && instanceKey(take.ref) === one.key)) return true
  return (one.record.snapshots ?? []).some(
    (pair) => ownSnapshot(pair)?.policy === policy && !rails.incomplete.has(`${one.key}/${pair[0]}`),
  )
}

const reason = 'nobody saw the end of its creation, so it may be partial'
