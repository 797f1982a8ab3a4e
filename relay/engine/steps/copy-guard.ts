/**
 * Why the relay makes no copy, whoever asks: it would lose something verified, or change what isn't a copy of
 * that source. It goes by what both sides have just now.
 */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { isIn } from '../../../shared/incus/pairs.ts'
import { subjectKey } from '../../../shared/incus/subject.ts'
import { COPYING } from '../../../shared/policy/marks.ts'
import type { Sending } from '../../../shared/relay/steps.ts'
import { isLeftover, parseTransfer, type Transfer } from '../../../shared/work/copy/transfer.ts'
import { isNewest, stayUntil, verifiedOn } from '../removal.ts'
import { isSource, isTarget, notSource, notTarget } from '../rules.ts'
import { replicaOf } from '../sightings.ts'
import type { OnTarget, Sides } from './copy-reads.ts'
import type { StepIo } from './step-io.ts'

/** By roles alone. */
export function againstRoles({ source, target }: Sending, { remotes }: StepIo): string | null {
  if (!isTarget(remotes, target.remote)) return notTarget(target.remote)
  if (!isSource(remotes, source.remote)) return notSource(source.remote)
  return subjectKey(source) === subjectKey(target) ? 'source and target are the same instance' : null
}

export function againstCopy(sending: Sending, { details, target }: Sides, io: StepIo): string | null {
  const { from, names } = sending.transfer
  if (sending.first && (from !== 0 || names.length > 0)) return 'a first copy brings everything'
  if (target === null) return sending.first ? null : 'the copy is gone: the next tick makes a new one'
  if (sending.first && !sending.startOver) return 'there is an instance of that name already'
  if (replicaOf(target.sighting) !== subjectKey(sending.source))
    return `it is no copy of ${subjectKey(sending.source)} that stapes made`
  if (target.status !== 'Stopped') return `the copy is ${target.status}`
  const onSource = details.snapshots.map(({ name, createdAt }): SnapshotPair => [name, createdAt ?? 0])
  return sending.startOver
    ? againstStartingOver(sending, target, onSource, io)
    : againstRefresh(sending, target, onSource, io)
}

const transferOn = ({ sighting: { own, config } }: OnTarget): Transfer | null =>
  own.includes(COPYING) ? parseTransfer(config[COPYING]) : null

function againstStartingOver(
  { target: at }: Sending,
  target: OnTarget,
  onSource: readonly SnapshotPair[],
  io: StepIo,
): string | null {
  const [verified] = verifiedOn(at, target.sighting, io)
  if (verified !== undefined) return `its snapshot ${verified[0]} is a verified copy`
  const transfer = transferOn(target)
  if (transfer?.from !== 0) return 'it may have been verified'
  const other = (target.sighting.snapshots ?? []).find((pair) => !isLeftover(transfer, pair, onSource))
  return other === undefined ? null : `its first transfer did not bring the snapshot ${other[0]}`
}

/** A refresh removes from the copy what the source doesn't have. */
function againstRefresh(
  { target: at, mirrored, unverified, transfer: coming }: Sending,
  target: OnTarget,
  onSource: readonly SnapshotPair[],
  io: StepIo,
): string | null {
  const verified = verifiedOn(at, target.sighting, io)
  const listed = target.sighting.snapshots ?? []
  const transfer = transferOn(target)
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
  const gone = listed.filter((pair) => !isIn(onSource, pair) && !isCleared(pair))
  const lost = gone.find(
    (pair) =>
      isIn(verified, pair) &&
      !isTorn(pair, at, io) &&
      againstLoss(pair, verified, mirrored, { at, io }) !== null,
  )
  if (lost !== undefined) return againstLoss(lost, verified, mirrored, { at, io })
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
  verified: readonly SnapshotPair[],
  mirrored: readonly string[],
  { at, io }: { at: Sending['target']; io: StepIo },
): string | null {
  const [name] = pair
  if (!mirrored.includes(name))
    return `the refresh would remove the verified snapshot ${name}, which is not known to have expired`
  const until = stayUntil(pair, at.remote, io.remotes)
  if (until !== null && io.clock.now() / 1000 < until)
    return `the refresh would remove the verified snapshot ${name}, and "${at.remote}" keeps such snapshots until ${new Date(until * 1000).toISOString()} (minRetention in the relay's configuration)`
  return isNewest(pair, verified, io.clock.now())
    ? `the refresh would remove ${name}, the newest verified snapshot`
    : null
}
