/** What a temporary instance or volume is made from, and the request that makes it. */
import { type IncusRequest, request } from '../../../shared/incus/routes.ts'
import { type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Manifest } from '../../../shared/work/export/manifest.ts'
import { badReply, call } from '../call.ts'
import type { Call } from '../calls.ts'
import { isObject, text } from '../envelope.ts'
import { snapshotRequest, subjectRequest } from '../subject-requests.ts'
import { type Made, parseSnapshot, type SnapshotDetails } from './export-body.ts'
import { backupsVolumeOf, type Place } from './export-space.ts'
import type { StepIo } from './step-io.ts'

/** In seconds: a full copy on pools without cheap ones takes as long as it takes. */
const DAY = 86_400

export type Source = Place & {
  details: SnapshotDetails
  incus: string
  type: Manifest['type']
  /** Of a volume. */
  contentType: string
  description: string
  /** Cluster member; `none` outside of a cluster. */
  location: string
}

export async function readSource(
  ref: InstanceRef,
  snapshot: string,
  io: StepIo,
): Promise<Result<Source, CallError>> {
  const read = async (wanted: IncusRequest) => call(io.upstream, ref.remote, wanted)
  const [server, one, taken] = [
    await read(request('getServer')),
    await read(subjectRequest(ref)),
    await read(snapshotRequest(ref, snapshot)),
  ]
  for (const answer of [server, one, taken]) if (!answer.ok) return answer
  const [about, instance, row] = [server, one, taken].map((answer) =>
    answer.ok ? answer.value.envelope.metadata : null,
  )
  const details = parseSnapshot(row)
  if (details === null || !isObject(instance))
    return err(badReply(ref.remote, 200, `the snapshot ${snapshot} has another form than expected`))
  const environment = isObject(about) && isObject(about.environment) ? about.environment : {}
  const contentType = volumeIn(ref.instance) === null ? '' : text(instance.content_type)
  return ok({
    ...{ details, type: typeOf(ref, instance), contentType, ...(await poolOf(ref, details, io)) },
    description: text(instance.description),
    backups: isObject(about) ? backupsVolumeOf(about) : '',
    ...{ incus: text(environment.server_version), location: text(instance.location) },
  })
}

function typeOf({ instance }: InstanceRef, { type }: Record<string, unknown>): Manifest['type'] {
  if (volumeIn(instance) !== null) return 'volume'
  return type === 'virtual-machine' ? 'virtual-machine' : 'container'
}

/** Its own, or of its root disk; what can't be read is empty. */
async function poolOf(
  { remote, instance }: InstanceRef,
  { expanded }: SnapshotDetails,
  { upstream }: StepIo,
): Promise<Pick<Place, 'pool' | 'driver'>> {
  const root = Object.values(expanded).find(({ path }) => path === '/')
  const pool = volumeIn(instance)?.pool ?? root?.pool ?? ''
  if (pool === '') return { pool, driver: '' }
  const seen = await call(upstream, remote, request('getPool', { pool }))
  const metadata = seen.ok ? seen.value.envelope.metadata : null
  return { pool, driver: isObject(metadata) ? text(metadata.driver) : '' }
}

export const UNNOTED: CallError = {
  code: 'export',
  message:
    'the relay can’t write its journal, so it makes nothing that it would have to remove: look at its disk',
}

export function createCall(
  { remote, project, instance }: InstanceRef,
  { body }: Made,
  { location }: Pick<Source, 'location'>,
): Call {
  const volume = volumeIn(instance)
  if (volume !== null)
    return { remote, wait: DAY, ...request('receiveVolume', { pool: volume.pool }, { project }, body) }
  const target: Record<string, string> = location === '' || location === 'none' ? {} : { target: location }
  return { remote, wait: DAY, ...request('receiveInstance', {}, { project, ...target }, body) }
}
