/** The requests that make a new instance: a local copy, or a transfer between two servers. */
import { request } from '../../../shared/incus/routes.ts'
import { volumeIn } from '../../../shared/incus/subject.ts'
import type { Cloning } from '../../../shared/relay/steps.ts'
import type { Call } from '../calls.ts'
import { where } from './requests.ts'

/** In seconds. A full copy takes as long as it takes. */
const WEEK = 7 * 86_400

/** `body`: of the new instance, without where its data comes from. */
export function creationCalls(cloning: Cloning, body: object): Call[] {
  const { from, snapshot, to, whole } = cloning
  if (from.remote === to.remote) {
    if (volumeIn(to.instance) !== null) return [{ ...createVolume(cloning, body), wait: WEEK }]
    const source = {
      type: 'copy' as const,
      source: whole ? from.instance : `${from.instance}/${snapshot}`,
      project: from.project,
    }
    return [{ ...create(cloning, body, source), wait: WEEK }]
  }
  const reach = (server: string) => ({
    operation: { $operationUrl: 0 },
    secrets: { $step: 0, pointer: '/metadata/metadata' },
    certificate: { $certificate: server },
  })
  if (cloning.transferMode === 'pull')
    return [
      { ...send(cloning, {}), cancelOnFailure: true },
      { ...create(cloning, body, { mode: 'pull', ...reach(from.remote) }), wait: WEEK },
    ]
  if (cloning.transferMode === 'relay')
    return [
      { ...send(cloning, {}), cancelOnFailure: true },
      { ...create(cloning, body, { mode: 'push' }), wait: WEEK, joins: 0 },
    ]
  return [
    create(cloning, body, { mode: 'push' }),
    { ...send(cloning, { target: reach(to.remote) }), wait: WEEK, alsoWaitFor: 0 },
  ]
}

/** On its own server, of the snapshot alone. */
function createVolume({ from, snapshot, to }: Cloning, body: object): Call {
  const { pool: source = '', volume = '' } = volumeIn(from.instance) ?? {}
  const { pool = '' } = volumeIn(to.instance) ?? {}
  const origin = { type: 'copy', name: `${volume}/${snapshot}`, pool: source, project: from.project }
  return {
    remote: to.remote,
    ...request('receiveVolume', { pool }, { project: to.project }, { ...body, source: origin }),
  }
}

type Origin = { mode: 'pull' | 'push' } & Record<string, unknown>

function create({ to }: Cloning, body: object, origin: Origin | CopyOf): Call {
  const { remote, project } = to
  const pool = volumeIn(to.instance)?.pool
  if ('type' in origin)
    return { remote, ...request('receiveInstance', {}, { project }, { ...body, source: origin }) }
  const alone =
    pool === undefined
      ? { live: false, instance_only: false, allow_inconsistent: false }
      : { volume_only: false }
  const whole = { ...body, source: { type: 'migration', ...alone, ...origin } }
  return {
    remote,
    ...(pool === undefined
      ? request('receiveInstance', {}, { project }, whole)
      : request('receiveVolume', { pool }, { project }, whole)),
  }
}

/** Of the same server. */
type CopyOf = { type: 'copy'; source: string; project: string }

/** A snapshot alone, or a copy with all that it has. Of a volume Incus sends no snapshot alone. */
function send({ from, snapshot, to, whole }: Cloning, extra: object): Call {
  const volume = volumeIn(from.instance)
  if (volume !== null) {
    const body = { name: volume.volume, migration: true, volume_only: false, ...extra }
    return { remote: from.remote, ...request('sendVolume', volume, { project: from.project }, body) }
  }
  const { parameters, query } = where(from)
  const how = { migration: true, live: false }
  return {
    remote: from.remote,
    ...(whole
      ? request('sendInstance', parameters, query, {
          ...how,
          instance_only: false,
          allow_inconsistent: false,
          ...extra,
        })
      : request('sendSnapshot', { ...parameters, snapshot }, query, { ...how, name: to.instance, ...extra })),
  }
}
