/**
 * Whether the relay removes a snapshot, or lets it expire, whoever asks. On a source: only what stapes took,
 * never what is held, and never more than half of an instance's within a day. On a copy: never the newest
 * verified one, no verified one before its time, and none at all where its remote is no target.
 */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { staysUntil } from '../../shared/incus/min-retention.ts'
import { leastOf } from '../../shared/incus/pace.ts'
import { commonPairs, isIn, newestPair, samePair } from '../../shared/incus/pairs.ts'
import { aheadOf, parseSnapshotName, SAFETY } from '../../shared/incus/snapshot-name.ts'
import { type InstanceRef, instanceOf, subjectKey } from '../../shared/incus/subject.ts'
import { own } from '../../shared/own.ts'
import { HOLD } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { markedOn } from '../../shared/work/copy/marks.ts'
import { isLeftover, unfinishedOn } from '../../shared/work/copy/transfer.ts'
import type { Owner } from './busy.ts'
import { whileRestored } from './locks.ts'
import { isSource, isTarget, minRetentionOf, notSource, notTarget } from './rules.ts'
import { replicaOf, type Sighting } from './sightings.ts'
import type { StepIo } from './steps/step-io.ts'

/** Milliseconds. An expiry that is further away leaves time to notice. */
const FAR = 7 * 86_400_000
const DAY = 86_400

export type Removal = {
  snapshot: string
  /** The job that wants it. */
  by: Owner
  /** It isn't removed, but expires then (milliseconds since the epoch). */
  end?: number
}

/** Null: it may be removed now, and counts as removed from here on. */
export async function againstRemoval(
  ref: InstanceRef,
  removal: Removal,
  io: StepIo,
): Promise<Result<string | null, CallError>> {
  const found = await io.sightings.of(ref, removal.snapshot)
  if (!found.ok) return found.error.status === 404 ? ok(null) : found
  return removalFrom(ref, found.value, removal, io)
}

/** The same, of an instance that was read already. */
export function removalFrom(
  ref: InstanceRef,
  seen: Sighting,
  removal: Removal,
  io: StepIo,
): Result<string | null, CallError> {
  const { snapshot, by, end } = removal
  const restored = whileRestored(ref, by.id, io.locks)
  if (restored !== null) return err(restored)
  if (io.groups.isTaking(ref, snapshot, by))
    return err({
      code: 'locked',
      message: `${snapshot} of ${subjectKey(ref)} is being taken; try again when that has ended`,
    })
  const isCopy = isReplica(ref, seen, io)
  const why = isCopy ? againstOnCopy(ref, seen, snapshot, io) : againstOnSource(ref, seen, removal, io)
  if (why !== null) return ok(why)
  const busy = isCopy ? null : io.busy.begin(by, subjectKey(ref), 'loses')
  if (busy !== null) return err(busy)
  const pair = (seen.snapshots ?? []).find(([name]) => name === snapshot)
  if (pair === undefined) return ok(null)
  // Counted at once, so that several jobs at the same time don't remove more than one after the other would.
  if (end === undefined) io.sightings.removed(ref, pair)
  else io.sightings.ends(ref, snapshot, end)
  // It was decided, whatever becomes known of its end.
  if (!isCopy && end === undefined) io.journal.noteExpired(subjectKey(ref), pair)
  if (isCopy) io.journal.losses.mayGo(subjectKey(ref), pair, end ?? io.clock.now())
  return ok(null)
}

/** By its mark, or because something on it was verified. */
export const isReplica = (ref: InstanceRef, sighting: Sighting, { remotes, journal }: StepIo): boolean =>
  isTarget(remotes, ref.remote) &&
  (replicaOf(sighting) !== '' || journal.verified(subjectKey(ref)).length > 0)

function againstOnSource(ref: InstanceRef, seen: Sighting, removal: Removal, io: StepIo): string | null {
  const { snapshot, end = io.clock.now() } = removal
  const policy = parseSnapshotName(snapshot)?.policy
  if (!isSource(io.remotes, ref.remote)) return notSource(ref.remote)
  // A copy whose remote has no such role, as after an upgrade: how long what is verified there stays isn't known.
  if (replicaOf(seen) !== '') return `it is a copy, and ${notTarget(ref.remote)}`
  if (policy === undefined) return 'stapes did not take it'
  if (isHeld(seen, snapshot)) return 'it is held: release it first'
  if (seen.snapshots === null) return UNLISTED
  const listed = seen.snapshots
  const pair = listed.find(([name]) => name === snapshot)
  if (pair === undefined) return null
  if (policy === SAFETY && end / 1000 - pair[1] < DAY)
    return 'it is what a restore can be undone by, and not a day old'
  // What may be partial doesn't count; and the only one may get an expiry, as after it was held.
  const isPartial = io.unseen.of(ref.remote).includes(`${ref.project}/${ref.instance}/${snapshot}`)
  const isOnly = listed.length === 1 && end - io.clock.now() >= DAY * 1000
  const more = isPartial || isOnly ? 1 : 0
  return againstPace(ref, snapshot, { listed, more }, io)
}

export function isHeld({ config }: Sighting, snapshot: string): boolean {
  const note = own(config, `${HOLD}${snapshot}`) ?? ''
  return note !== '' && note !== 'false'
}

/** `more`: so many don't count. */
function againstPace(
  ref: InstanceRef,
  snapshot: string,
  { listed, more = 0 }: { listed: readonly SnapshotPair[]; more?: number },
  { sightings, journal }: StepIo,
): string | null {
  const most = Math.max(journal.peak(subjectKey(ref)), listed.length)
  const least = leastOf(most)
  return sightings.without(ref, snapshot, listed) + more >= least
    ? null
    : `it had ${most} snapshots within the last day, and the relay leaves at least ${least} of them for that long; the rest goes tomorrow`
}

function againstOnCopy(ref: InstanceRef, seen: Sighting, snapshot: string, io: StepIo): string | null {
  if (seen.snapshots === null) return UNLISTED
  const standing = standingOf(ref, seen, io)
  const { listed } = standing
  const pair = listed.find(([name]) => name === snapshot)
  if (pair === undefined) return null
  if (!isIn(standing.verified, pair)) return againstUnverified(ref, seen, pair, io)
  return (
    againstEnd(ref, pair, { end: io.clock.now() / 1000, standing }, io) ??
    againstPace(ref, snapshot, { listed }, io)
  )
}

/** An expiry on a copy, at `end` (milliseconds since the epoch). */
export function againstEndOnCopy(
  ref: InstanceRef,
  seen: Sighting,
  { snapshot, end }: { snapshot: string; end: number },
  io: StepIo,
): string | null {
  const standing = standingOf(ref, seen, io)
  const { listed } = standing
  const pair = listed.find(([name]) => name === snapshot)
  if (pair === undefined) return null
  if (!isIn(standing.verified, pair)) return againstUnverified(ref, seen, pair, io)
  const why = againstEnd(ref, pair, { end: end / 1000, standing }, io)
  const isFar = end - io.clock.now() >= FAR
  const refusal = why ?? (isFar ? null : againstPace(ref, snapshot, { listed }, io))
  if (refusal !== null) return refusal
  io.journal.losses.mayGo(subjectKey(ref), pair, end)
  if (!isFar) io.sightings.ends(ref, snapshot, end)
  return null
}

/** Only what an unverified transfer brought, or what has no data: anything else somebody has made there. */
function againstUnverified(
  ref: InstanceRef,
  seen: Sighting,
  pair: SnapshotPair,
  { sightings }: StepIo,
): string | null {
  const transfer = unfinishedOn(seen)
  const onSource = sightings.listed(instanceOf(replicaOf(seen)))
  return isIn(sightings.torn(ref), pair) || (transfer !== null && isLeftover(transfer, pair, onSource))
    ? null
    : 'no transfer is known to have brought it, and it was never verified: delete it there if it may go'
}

const UNLISTED = 'its snapshots could not be listed'

/** Everything that is known to be verified on a copy, by its own mark or by what the relay remembers. */
export function verifiedOn(ref: InstanceRef, seen: Sighting, { journal }: StepIo): SnapshotPair[] {
  const marked = markedOn(seen)
  return [...marked, ...journal.verified(subjectKey(ref)).filter((pair) => !isIn(marked, pair))]
}

/** What is known as verified on a copy, what it has, and what of that has no data. */
export type Standing = Record<'verified' | 'listed' | 'torn', readonly SnapshotPair[]>

export const standingOf = (ref: InstanceRef, seen: Sighting, io: StepIo): Standing => ({
  verified: verifiedOn(ref, seen, io),
  listed: seen.snapshots ?? [],
  torn: io.sightings.torn(ref),
})

/** Also where another is dated in the future, isn't there, or has no data: none of these can be restored. */
export function isNewest(pair: SnapshotPair, { verified, listed, torn }: Standing, now: number): boolean {
  const isAhead = aheadOf(new Date(now))
  const there = commonPairs(listed, verified)
  return [there, there.filter((one) => !isIn(torn, one))]
    .flatMap((pairs) => [newestPair(pairs), newestPair(pairs.filter((one) => !isAhead(one)))])
    .some((one) => one !== null && samePair(one, pair))
}

/** Whether a verified snapshot may end then (seconds since the epoch). */
export function againstEnd(
  ref: InstanceRef,
  pair: SnapshotPair,
  { end, standing }: { end: number; standing: Standing },
  { remotes, clock }: StepIo,
): string | null {
  if (isNewest(pair, standing, clock.now())) return 'it is the newest verified snapshot of a copy'
  const until = staysUntil(pair, minRetentionOf(remotes, ref.remote))
  return until === null || end * 1000 >= until.getTime()
    ? null
    : `it is verified, and "${ref.remote}" keeps such snapshots until ${until.toISOString()} (minRetention in the relay's configuration)`
}
