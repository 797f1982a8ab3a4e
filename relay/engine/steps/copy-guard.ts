/**
 * Why the relay makes no copy, whoever asks: it would lose something verified, or change what isn't a copy of
 * that source. It goes by what both sides have just now.
 */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { staysUntil } from '../../../shared/incus/min-retention.ts'
import { isIn } from '../../../shared/incus/pairs.ts'
import { expiresAtOf, pairOf, type SourceDetails } from '../../../shared/incus/source.ts'
import { type InstanceRef, nounOf, subjectKey } from '../../../shared/incus/subject.ts'
import type { Sending } from '../../../shared/relay/steps.ts'
import { renderVerified } from '../../../shared/work/copy/marks.ts'
import { isBrought, isLeftover, unfinishedOn } from '../../../shared/work/copy/transfer.ts'
import { volumeKey } from '../parse-volumes.ts'
import { isNewest, type Standing, standingOf, verifiedOn } from '../removal.ts'
import { isSource, isTarget, minRetentionOf, notSource, notTarget } from '../rules.ts'
import { replicaOf } from '../sightings.ts'
import { type OnTarget, type Sides, STOPPED } from './copy-reads.ts'
import type { StepIo } from './step-io.ts'

/** By roles alone. */
export function againstRoles({ source, target }: Sending, { remotes }: StepIo): string | null {
  if (!isTarget(remotes, target.remote)) return notTarget(target.remote)
  if (!isSource(remotes, source.remote)) return notSource(source.remote)
  if (nounOf(source) !== nounOf(target)) return `a ${nounOf(source)} can't become a ${nounOf(target)}`
  return subjectKey(source) === subjectKey(target) ? 'source and target are the same' : null
}

export function againstCopy(sending: Sending, { details, target }: Sides, io: StepIo): string | null {
  const { from, names } = sending.transfer
  if (sending.first && (from !== 0 || names.length > 0)) return 'a first copy brings everything'
  if (target === null) return sending.first ? null : 'the copy is gone: the next tick makes a new one'
  if (sending.first && !sending.startOver)
    return `the ${nounOf(sending.target)} of that name is there already`
  const other = againstReplica(sending.source, target)
  if (other !== null) return other
  const onSource = details.snapshots.map(pairOf)
  if (sending.startOver) return againstStartingOver(sending, target, onSource, io)
  const leaving = leavingFrom(sending.source, details, io)
  return againstRefresh(sending, target, { onSource, leaving }, io)
}

/** What has expired there, or is being removed: it may be gone before it could be sent. */
export const leavingFrom = (
  source: InstanceRef,
  { snapshots }: SourceDetails,
  { sightings, clock }: StepIo,
): SnapshotPair[] =>
  snapshots.flatMap((one) => {
    const end = expiresAtOf(one.expiresAt)
    const hasEnded = end !== null && end.getTime() <= clock.now()
    return hasEnded || sightings.isGoing(source, pairOf(one)) ? [pairOf(one)] : []
  })

/** Between the first look and the transfer; null: nothing that a refresh could harm. */
export function againstChange(
  { source, target }: Sending,
  { details, target: copy }: Sides,
  now: Sides,
): string | null {
  const why = againstReplica(source, now.target)
  if (why !== null || now.target === null) return why ?? 'the copy is gone'
  const [onSource, onCopy] = [now.details.snapshots.map(pairOf), now.target.sighting.snapshots ?? []]
  const lost = details.snapshots.map(pairOf).find((pair) => isIn(onCopy, pair) && !isIn(onSource, pair))
  if (lost !== undefined) return `${lost[0]} was removed from ${subjectKey(source)} just now`
  const before = copy?.sighting.snapshots ?? []
  const made = onCopy.find((pair) => !isIn(before, pair))
  return made === undefined ? null : `${made[0]} was made on ${subjectKey(target)} just now`
}

function againstReplica(source: InstanceRef, target: OnTarget | null): string | null {
  if (target === null) return null
  if (replicaOf(target.sighting) !== subjectKey(source))
    return `it is no copy of ${subjectKey(source)} that stapes made`
  return target.status === STOPPED ? null : `the copy is ${target.status}`
}

function againstStartingOver(
  { target: at }: Sending,
  target: OnTarget,
  onSource: readonly SnapshotPair[],
  io: StepIo,
): string | null {
  const [verified] = verifiedOn(at, target.sighting, io)
  if (verified !== undefined) return `its snapshot ${verified[0]} is a verified copy`
  const transfer = unfinishedOn(target.sighting)
  if (transfer?.from !== 0) return 'it may have been verified'
  const other = (target.sighting.snapshots ?? []).find((pair) => !isLeftover(transfer, pair, onSource))
  return other === undefined ? null : `its first transfer did not bring the snapshot ${other[0]}`
}

/** A refresh removes from the copy what the source doesn't have. */
function againstRefresh(
  { source, target: at, mirrored, unverified, transfer: coming }: Sending,
  target: OnTarget,
  { onSource, leaving }: { onSource: readonly SnapshotPair[]; leaving: readonly SnapshotPair[] },
  io: StepIo,
): string | null {
  const standing = standingOf(at, target.sighting, io)
  const { verified, listed } = standing
  const transfer = unfinishedOn(target.sighting)
  const isCleared = (pair: SnapshotPair): boolean =>
    unverified.includes(pair[0]) && transfer !== null && isLeftover(transfer, pair, onSource)
  if (coming.from === 0) return 'a refresh does not bring everything'
  const resent = listed.find((pair) => coming.names.includes(pair[0]) && isIn(verified, pair))
  if (resent !== undefined) return `its transfer would count ${resent[0]} as new, which is verified`
  const strange = unverified.find((name) => {
    const pair = listed.find(([one]) => one === name)
    return pair !== undefined && (isIn(verified, pair) || !isCleared(pair))
  })
  if (strange !== undefined) return `${strange} is no leftover of an unverified transfer`
  // Incus doesn't send again what is there, so the transfer's success would say nothing of it.
  const kept = listed.find(
    (pair) => !isIn(verified, pair) && isBrought(coming, pair) && !unverified.includes(pair[0]),
  )
  if (kept !== undefined) {
    // Its pool may not have it, after a power cut: the next inventory looks, and what came so is removed.
    io.suspects.add(at.remote, volumeKey(at.project, at.instance))
    return `its transfer would count ${kept[0]} as new, which is there already`
  }
  // The caller's list is as old as its plan, and a copy may have waited for others since.
  const expired = new Set(io.journal.expired(subjectKey(source)))
  const hasExpired = (pair: SnapshotPair): boolean => expired.has(renderVerified([pair]))
  const gone = listed.filter((pair) => (!isIn(onSource, pair) || isIn(leaving, pair)) && !isCleared(pair))
  const [lost] = gone.flatMap((pair) => {
    if (!isIn(verified, pair) || isTorn(pair, at, io)) return []
    const isExpected = mirrored.includes(pair[0]) || isIn(leaving, pair) || hasExpired(pair)
    return againstLoss(pair, standing, isExpected, { at, io }) ?? []
  })
  if (lost !== undefined) return lost
  const foreign = gone.find(
    (pair) => !isIn(verified, pair) && !(transfer !== null && isLeftover(transfer, pair, onSource)),
  )
  return foreign === undefined
    ? null
    : `the refresh would remove ${foreign[0]}, which the source doesn’t have and stapes never verified`
}

/** Its data is gone already: its pool doesn't have it, and no transfer since has brought it. */
const isTorn = (pair: SnapshotPair, at: Sending['target'], { sightings, journal }: StepIo): boolean => {
  const inPool = sightings.listed(at)
  return inPool !== null && !isIn(inPool, pair) && !isIn(journal.verified(subjectKey(at)), pair)
}

function againstLoss(
  pair: SnapshotPair,
  standing: Standing,
  isExpected: boolean,
  { at, io }: { at: Sending['target']; io: StepIo },
): string | null {
  const [name] = pair
  if (!isExpected)
    return `the refresh would remove the verified snapshot ${name}, which is not known to have expired`
  const until = staysUntil(pair, minRetentionOf(io.remotes, at.remote))
  if (until !== null && io.clock.now() < until.getTime())
    return `the refresh would remove the verified snapshot ${name}, and "${at.remote}" keeps such snapshots until ${until.toISOString()} (minRetention in the relay's configuration)`
  return isNewest(pair, standing, io.clock.now())
    ? `the refresh would remove ${name}, the newest verified snapshot`
    : null
}
