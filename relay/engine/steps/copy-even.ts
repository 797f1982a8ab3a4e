/**
 * Whether a source's own list of its snapshots and its pool's are even. Where they aren't, Incus fails the copy; and
 * 6.0.4 has then taken the failure for an offer of no snapshots, and removed all of the copy that was to be refreshed.
 */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { type IncusRequest, request } from '../../../shared/incus/routes.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'
import { type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { badReply, call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import { sleep } from '../operation.ts'
import { volumeKey } from '../parse-volumes.ts'
import { disagreement } from '../snapshots.ts'
import { listOf } from './requests.ts'
import type { StepIo } from './step-io.ts'

type Io = Pick<StepIo, 'upstream' | 'suspects' | 'clock'>

/** Milliseconds. A snapshot that is just being taken or removed is in one of the lists alone for a moment. */
const MOMENT = 2000

/** Null: they are. Else what to do; and the next inventories look at both lists until they are. */
export async function refuseUneven(
  source: InstanceRef,
  details: SourceDetails,
  io: Io,
): Promise<Result<string | null, CallError>> {
  // A volume has but one list.
  if (volumeIn(source.instance) !== null) return ok(null)
  const wanted = inPoolOf(source, details)
  if (wanted === null) return ok('its root disk names no pool')
  const onRecord = details.snapshots.map(({ name }) => name)
  const first = await namesBy(source.remote, wanted, io)
  if (!first.ok) return first
  if (compare(source, first.value, onRecord) === null) return ok(null)
  await sleep(io.clock, MOMENT)
  const inPool = await namesBy(source.remote, wanted, io)
  if (!inPool.ok) return inPool
  const own = await namesBy(source.remote, listOf(source), io)
  if (!own.ok) return own
  const why = compare(source, inPool.value, own.value)
  if (why !== null) io.suspects.add(source.remote, volumeKey(source.project, source.instance))
  return ok(why)
}

function inPoolOf(
  { project, instance }: InstanceRef,
  { type, location, root: { pool } }: SourceDetails,
): IncusRequest | null {
  // A cluster member lists only what is on itself.
  const member = location === '' || location === 'none' ? {} : { target: location }
  return pool === undefined
    ? null
    : request('listVolumeSnapshots', { pool, type, volume: instance }, { project, recursion: '1', ...member })
}

const compare = (
  { instance: name, project }: InstanceRef,
  inPool: readonly string[],
  onRecord: readonly string[],
): string | null => disagreement({ name, project, own: [] }, inPool.map(undated), onRecord.map(undated))

const undated = (name: string): SnapshotPair => [name, 0]

/** A pool's rows have `instance/snapshot`, an instance's the name alone. */
async function namesBy(
  remote: string,
  wanted: IncusRequest,
  { upstream }: Io,
): Promise<Result<string[], CallError>> {
  const listed = await call(upstream, remote, wanted)
  if (!listed.ok) return listed
  const { metadata } = listed.value.envelope
  const names = Array.isArray(metadata)
    ? metadata.map((row) => (isObject(row) ? text(row.name) : '')).map(lastOf)
    : ['']
  return names.includes('')
    ? err(badReply(remote, listed.value.status, `${wanted.path} has another form than expected`))
    : ok(names)
}

const lastOf = (name: string): string => name.slice(name.indexOf('/') + 1)
