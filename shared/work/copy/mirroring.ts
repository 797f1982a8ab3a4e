/**
 * What a refresh would remove on the copy, because the source no longer has it, and why it must not. The brake: it
 * is not known to have expired. Besides, the relay keeps it, it is held, or the copy's own `keep` wants it.
 */

import type { SnapshotPair } from '../../incus/inventory.ts'
import { staysAt, staysUntil } from '../../incus/min-retention.ts'
import { commonPairs, isIn, newestPair } from '../../incus/pairs.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { isSafety } from '../../plan/safety.ts'
import { minRetentionOf, type World } from '../../plan/world.ts'
import type { Covered } from '../../policy/cover.ts'
import { holdsOf } from '../../policy/marks.ts'
import type { Sorter } from '../../retention/sorter.ts'
import { keepAside } from '../../shell.ts'
import { isUnfinishedFirst, type TransferContext } from './context.ts'
import { unexplained } from './expired.ts'
import { wantedOn } from './lasting.ts'
import { originOf, refuseReplica } from './marks.ts'

/** `braked`: a person may confirm it. `until`: it ends then by itself (ISO 8601). */
export type Refused = { braked: boolean; reason: string; until?: string }

type Mirroring = {
  world: Pick<World, 'expired' | 'remotes'>
  sorter: Sorter
  now: Date
  /** The source, by each policy that covers it. */
  covering: readonly Covered[]
  /** A person confirmed that it may remove what is not known to have expired. */
  allowed: boolean
}

/** Verified on the copy, and not on the source. */
export function mirroredOf({ snapshots, verified }: TransferContext): SnapshotPair[] {
  const dates = new Map(snapshots)
  return verified.filter(([name, date]) => dates.get(name) !== date)
}

/** Null: a refresh removes nothing that must stay. */
export function refuseMirroring(context: TransferContext, mirroring: Mirroring): Refused | null {
  const gone = goneFrom(context)
  if (gone.length === 0) return null
  const young = tooYoung(context, gone, mirroring)
  return (
    brake(context, gone, young, mirroring) ?? young ?? held(context, gone) ?? wanted(context, gone, mirroring)
  )
}

/** What a refresh would remove on the copy; nothing where it isn't refreshed. */
function goneFrom(context: TransferContext): SnapshotPair[] {
  const { replica, target, starting } = context
  if (target === null || isUnfinishedFirst(context)) return []
  if (refuseReplica(target, originOf(replica.source, starting)) !== null) return []
  // Those that may be partial are still there.
  const listed = replica.source.record.snapshots ?? []
  return mirroredOf(context).filter((pair) => !isIn(listed, pair))
}

type Explaining = Pick<Mirroring, 'world' | 'now' | 'covering'>

/** What of that the brake holds: it is not known to have expired. */
export const lostFrom = (context: TransferContext, explaining: Explaining): SnapshotPair[] =>
  lostOf(goneFrom(context), context, explaining)

const lostOf = (
  gone: readonly SnapshotPair[],
  { replica, starting }: TransferContext,
  { world, now, covering }: Explaining,
): SnapshotPair[] =>
  unexplained(gone, { key: replica.source.key, known: starting.entry, covering, world, now })

/** `young`: what a refresh would wait for besides, whoever allows it. */
function brake(
  context: TransferContext,
  gone: readonly SnapshotPair[],
  young: Refused | null,
  mirroring: Mirroring,
): Refused | null {
  if (mirroring.allowed) return null
  const lost = lostOf(gone, context, mirroring)
  if (lost.length === 0) return null
  const { replica, verified, snapshots } = context
  const { source, target, wanting } = replica
  const policies = wanting.map(({ covered }) => `--policy=${covered.policy.name}`).join(' or ')
  const later =
    young?.until === undefined
      ? ''
      : `. The relay keeps some of them on ${target.remote} by its minRetention, so the refresh waits until ${young.until} in any case: what is allowed before is remembered until then`
  const what = isStuck(verified, snapshots)
    ? `No refresh can build on what is left. To keep what the copy has, run "${keepAside(target)}" on ${target.remote}: a new first copy follows`
    : `If they may go: /backup allow ${source.key} (${policies} instead: for all instances of that policy)${later}`
  const reason = `${lost.length} of ${verified.length} verified snapshots of its copy on ${target.remote} are gone from the source, and stapes did not expire them (${named(lost)}): were they deleted by hand, was the source rolled back, or taken over? A refresh would delete them on ${target.remote} too, so the copy waits, and nothing of ${source.ref.instance} expires. ${what}`
  return { braked: true, reason }
}

/** The newest verified one of a policy is gone as well: `refuse-target.ts` refuses that, whoever allows it. */
function isStuck(verified: readonly SnapshotPair[], snapshots: readonly SnapshotPair[]): boolean {
  const common = newestPair(commonPairs(verified, snapshots))
  const newest = newestPair(verified.filter((pair) => ownSnapshot(pair) !== null && !isSafety(pair[0])))
  return common === null || (newest !== null && common[1] < newest[1])
}

/** The relay refuses to remove them, whoever asks. */
function tooYoung(
  { replica: { target } }: TransferContext,
  gone: readonly SnapshotPair[],
  { world, now }: Mirroring,
): Refused | null {
  const least = minRetentionOf(world, target.remote)
  // Where it isn't known, nothing is copied either.
  if (least === null) return null
  const young = gone.filter((pair) => staysAt(pair, least, now))
  const ends = young.flatMap((pair) => staysUntil(pair, least)?.toISOString() ?? [])
  const until = ends.sort().at(-1)
  if (until === undefined) return null
  const reason = `the source no longer has ${named(young)}, and the relay keeps each of them on ${target.remote} by its minRetention: the refresh waits until ${until}`
  return { braked: false, reason, until }
}

function held(
  { replica: { source, target }, target: record }: TransferContext,
  gone: readonly SnapshotPair[],
): Refused | null {
  const there = record === null ? new Set<string>() : holdsOf(record)
  const kept = gone.filter(([name]) => source.held.has(name) || there.has(name))
  if (kept.length === 0) return null
  const reason = `a refresh would delete ${named(kept)} on ${target.remote}, because the source no longer has it, and it is held: copy it there to a separate instance, then release it`
  return { braked: false, reason }
}

function wanted(
  { replica, snapshots, verified }: TransferContext,
  gone: readonly SnapshotPair[],
  { sorter }: Mirroring,
): Refused | null {
  const all = [...verified, ...snapshots.filter((pair) => !isIn(verified, pair))]
  const kept = wantedOn(replica, all, sorter)
  const still = gone.filter(([name]) => kept.has(name))
  const [first] = replica.wanting
  if (still.length === 0 || first === undefined) return null
  const { remote } = replica.target
  const reason = `a refresh would delete ${named(still)} on ${remote}, because the source no longer has ${still.length === 1 ? 'it' : 'them'}, though copy.keep wants ${still.length === 1 ? 'it' : 'them'}: the copy waits. Keep as much on the source ("keep"), want less on the copy ("copy.keep"), or say "mirror": true under "copy" of policy ${first.covered.policy.name}`
  return { braked: false, reason }
}

const NAMED = 5

function named(pairs: readonly SnapshotPair[]): string {
  const names = pairs.slice(0, NAMED).map(([name]) => name)
  const more = pairs.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}
