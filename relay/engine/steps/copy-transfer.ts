/** The two operations of a transfer; the later one refers to the earlier one. */
import { request } from '../../../shared/incus/routes.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'
import { type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import type { Sending } from '../../../shared/relay/steps.ts'
import type { Call } from '../calls.ts'
import { replicaBody, volumeBody } from './copy-body.ts'
import { where } from './requests.ts'

/** `wait`: for how long at most, in seconds. A longer transfer is reported as `running` and observed again. */
export function transferCalls(sending: Sending, details: SourceDetails, wait: number): Call[] {
  const { source, target } = sending
  const reach = (server: string) => ({
    operation: { $operationUrl: 0 },
    secrets: { $step: 0, pointer: '/metadata/metadata' },
    certificate: { $certificate: server },
  })
  if (sending.transferMode === 'pull')
    return [
      { ...send(sending, {}), cancelOnFailure: true },
      { ...receive(sending, details, { mode: 'pull', ...reach(source.remote) }), wait },
    ]
  if (sending.transferMode === 'relay')
    return [
      { ...send(sending, {}), cancelOnFailure: true },
      { ...receive(sending, details, { mode: 'push' }), wait, joins: 0 },
    ]
  return [
    receive(sending, details, { mode: 'push' }),
    { ...send(sending, { target: reach(target.remote) }), wait, alsoWaitFor: 0 },
  ]
}

function send({ source, inconsistent }: Sending, extra: object): Call {
  if (volumeIn(source.instance) !== null) return sendVolume(source, extra)
  const { parameters, query } = where(source)
  const how = { live: false, instance_only: false, allow_inconsistent: inconsistent }
  const body = { migration: true, ...how, ...extra }
  return { remote: source.remote, ...request('sendInstance', parameters, query, body) }
}

function receive(sending: Sending, details: SourceDetails, origin: object): Call {
  if (volumeIn(sending.target.instance) !== null) return receiveVolume(sending, details, origin)
  const { target, member, first, inconsistent } = sending
  const query = member === null ? { project: target.project } : { project: target.project, target: member }
  const source = {
    type: 'migration',
    live: false,
    instance_only: false,
    allow_inconsistent: inconsistent,
    ...(first ? {} : { refresh: true, refresh_exclude_older: sending.excludeOlder }),
    ...origin,
  }
  const body = { ...replicaBody(sending, details), source }
  return { remote: target.remote, ...request('receiveInstance', {}, query, body) }
}

/** With `volume_only` a refresh would remove all snapshots of the copy. */
function sendVolume({ remote, project, instance }: InstanceRef, extra: object): Call {
  const { pool = '', volume = '' } = volumeIn(instance) ?? {}
  const body = { name: volume, migration: true, volume_only: false, ...extra }
  return { remote, ...request('sendVolume', { pool, volume }, { project }, body) }
}

function receiveVolume(sending: Sending, details: SourceDetails, origin: object): Call {
  const { target, first, excludeOlder } = sending
  const { pool = '' } = volumeIn(target.instance) ?? {}
  const how = first ? {} : { refresh: true, refresh_exclude_older: excludeOlder }
  const body = {
    ...volumeBody(sending, details),
    source: { type: 'migration', volume_only: false, ...how, ...origin },
  }
  return { remote: target.remote, ...request('receiveVolume', { pool }, { project: target.project }, body) }
}
