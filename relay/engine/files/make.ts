/** Makes what the files of a snapshot are read from: an instance of it, or a custom volume. */
import { isIn } from '../../../shared/incus/pairs.ts'
import { type InstanceRef, nounOf, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { MAKING } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Owner } from '../busy.ts'
import { call } from '../call.ts'
import { runCalls } from '../call-list.ts'
import { isObject, text } from '../envelope.ts'
import { isReplica, verifiedOn } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import { replicaOf } from '../sightings.ts'
import { type Made, temporaryBody, temporaryVolume } from '../steps/export-body.ts'
import { refuseSpace } from '../steps/export-space.ts'
import { postponing } from '../steps/snapshots.ts'
import type { StepIo } from '../steps/step-io.ts'
import { createCall, readSource, type Source, UNNOTED } from '../steps/temporary-source.ts'
import { snapshotRequest } from '../subject-requests.ts'
import { removeTemporary } from '../temporaries.ts'
import { againstKind } from './kind.ts'

/** Milliseconds. What expires while it is copied arrives empty, and Incus calls that a success. */
const DAY = 86_400_000

/** `readable`: what is made of the snapshot. */
export type Making = { ref: InstanceRef; snapshot: string; readable: InstanceRef }

export async function makeReadable(making: Making, io: StepIo): Promise<Result<null, CallError>> {
  const { ref, snapshot, readable } = making
  const why = await against(ref, snapshot, io)
  if (!why.ok) return why
  if (why.value !== null) return err(refused(`read files of ${snapshot} of ${subjectKey(ref)}`, why.value))
  const owner: Owner = { id: `files ${subjectKey(ref)}` }
  const busy = io.busy.begin(owner, subjectKey(ref), 'reads')
  if (busy !== null) return err(busy)
  io.temporaries.begin(readable)
  try {
    return await copied(making, io)
  } finally {
    io.busy.end(owner)
  }
}

/** Null: it may be read. */
async function against(
  ref: InstanceRef,
  snapshot: string,
  io: StepIo,
): Promise<Result<string | null, CallError>> {
  const seen = await io.sightings.readAll(ref)
  if (!seen.ok) return seen.error.status === 404 ? ok(`there is no such ${nounOf(ref)}`) : seen
  const { sighting, instance } = seen.value
  const kind = await againstKind(ref, instance, io)
  if (!kind.ok || kind.value !== null) return kind
  const isCopy = replicaOf(sighting) !== '' || isReplica(ref, sighting, io)
  if (!isCopy && !isSource(io.remotes, ref.remote)) return ok(notSource(ref.remote))
  if (sighting.own.includes(MAKING)) return ok('it is being made itself')
  const pair = (sighting.snapshots ?? []).find(([name]) => name === snapshot)
  if (pair === undefined) return ok('there is no such snapshot')
  if (io.sightings.isGoing(ref, pair)) return ok('it is being removed')
  if (isIn(io.sightings.torn(ref), pair)) return ok('it has no data')
  if (isCopy && !isIn(verifiedOn(ref, sighting, io), pair))
    return ok('it is not verified on that copy, so it may hold no data')
  return ok(null)
}

async function copied(making: Making, io: StepIo): Promise<Result<null, CallError>> {
  const { ref, snapshot, readable } = making
  const removed = await removeTemporary(readable, io)
  if (!removed.ok) return removed
  const source = await readSource(ref, snapshot, io)
  if (!source.ok) return source
  const full = await refuseSpace(ref, { ...source.value, backups: '' }, io, `the ${nounOf(ref)} made of it`)
  if (full !== null) return err(refused(`read files of ${subjectKey(ref)}`, full))
  const late = await postponing(ref, { snapshot, until: new Date(io.clock.now() + DAY) }, io)
  if (!late.ok) return late
  // Without that note nothing would ever remove it again.
  if (!io.journal.noteTemporary(subjectKey(readable), 'making')) return err(UNNOTED)
  const creation = createCall(readable, bodyOf(making, source.value, io), source.value)
  const ran = await runCalls([...late.value, creation], io, { urgent: true })
  if (!ran.ok) return ran
  if (!io.journal.noteTemporary(subjectKey(readable), 'made')) return err(UNNOTED)
  return stillThere(making, source.value.details.createdAt, io)
}

function bodyOf(
  { ref, snapshot, readable }: Making,
  { details, contentType, description }: Source,
  { seal }: StepIo,
): Made {
  const mark = seal.put(readable, `files ${snapshot}`)
  const volume = volumeIn(readable.instance)
  return volume === null
    ? temporaryBody(ref, snapshot, details, { name: readable.instance, mark })
    : temporaryVolume(ref, snapshot, details, { name: volume.volume, mark, contentType, description })
}

/** If it was removed meanwhile, what was made of it may be empty, and Incus calls that a success. */
async function stillThere(
  { ref, snapshot }: Making,
  createdAt: string,
  io: StepIo,
): Promise<Result<null, CallError>> {
  const again = await call(io.upstream, ref.remote, snapshotRequest(ref, snapshot))
  if (!again.ok) return again
  const { metadata } = again.value.envelope
  return isObject(metadata) && text(metadata.created_at) === createdAt
    ? ok(null)
    : err(refused(`read files of ${subjectKey(ref)}`, `${snapshot} was replaced meanwhile`))
}
