/** What a temporary instance is made from, and the request that makes it. */
import { type IncusRequest, request } from '../../../shared/incus/routes.ts'
import type { InstanceRef } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { badReply, call } from '../call.ts'
import type { Call } from '../calls.ts'
import { isObject, text } from '../envelope.ts'
import { type Made, parseSnapshot, type SnapshotDetails } from './export-body.ts'
import { backupsVolumeOf, type Place } from './export-space.ts'
import { where } from './requests.ts'
import type { StepIo } from './step-io.ts'

/** In seconds: a full copy on pools without cheap ones takes as long as it takes. */
const DAY = 86_400

export type Source = Place & {
  details: SnapshotDetails
  incus: string
  type: 'container' | 'virtual-machine'
  /** Cluster member; `none` outside of a cluster. */
  location: string
}

export async function readSource(
  ref: InstanceRef,
  snapshot: string,
  io: StepIo,
): Promise<Result<Source, CallError>> {
  const { parameters, query } = where(ref)
  const read = async (wanted: IncusRequest) => call(io.upstream, ref.remote, wanted)
  const [server, one, taken] = [
    await read(request('getServer')),
    await read(request('getInstance', parameters, query)),
    await read(request('getSnapshot', { ...parameters, snapshot }, query)),
  ]
  for (const answer of [server, one, taken]) if (!answer.ok) return answer
  const [about, instance, row] = [server, one, taken].map((answer) =>
    answer.ok ? answer.value.envelope.metadata : null,
  )
  const details = parseSnapshot(row)
  if (details === null || !isObject(instance))
    return err(badReply(ref.remote, 200, `the snapshot ${snapshot} has another form than expected`))
  const environment = isObject(about) && isObject(about.environment) ? about.environment : {}
  const type = instance.type === 'virtual-machine' ? 'virtual-machine' : 'container'
  return ok({
    ...{ details, type, ...(await poolOf(details, ref.remote, io)) },
    backups: isObject(about) ? backupsVolumeOf(about) : '',
    ...{ incus: text(environment.server_version), location: text(instance.location) },
  })
}

/** Of its root disk; what can't be read is empty. */
async function poolOf(
  { expanded }: SnapshotDetails,
  remote: string,
  { upstream }: StepIo,
): Promise<Pick<Place, 'pool' | 'driver'>> {
  const pool = Object.values(expanded).find(({ path }) => path === '/')?.pool ?? ''
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
  { remote, project }: InstanceRef,
  { body }: Made,
  { location }: Pick<Source, 'location'>,
): Call {
  const target: Record<string, string> = location === '' || location === 'none' ? {} : { target: location }
  return { remote, wait: DAY, ...request('receiveInstance', {}, { project, ...target }, body) }
}
