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
  if (volumeIn(to.instance) !== null) return [{ ...createVolume(cloning, body), wait: WEEK }]
  if (from.remote === to.remote) {
    const source = {
      type: 'copy',
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
      { ...create(cloning, body, receiving({ mode: 'pull', ...reach(from.remote) })), wait: WEEK },
    ]
  if (cloning.transferMode === 'relay')
    return [
      { ...send(cloning, {}), cancelOnFailure: true },
      { ...create(cloning, body, receiving({ mode: 'push' })), wait: WEEK, joins: 0 },
    ]
  return [
    create(cloning, body, receiving({ mode: 'push' })),
    { ...send(cloning, { target: reach(to.remote) }), wait: WEEK, alsoWaitFor: 0 },
  ]
}

/** On its own server: Incus sends no snapshot of a volume alone. */
function createVolume({ from, snapshot, to }: Cloning, body: object): Call {
  const { pool: source = '', volume = '' } = volumeIn(from.instance) ?? {}
  const { pool = '' } = volumeIn(to.instance) ?? {}
  const origin = { type: 'copy', name: `${volume}/${snapshot}`, pool: source, project: from.project }
  return {
    remote: to.remote,
    ...request('receiveVolume', { pool }, { project: to.project }, { ...body, source: origin }),
  }
}

const receiving = (origin: object): object => ({
  ...{ type: 'migration', live: false, instance_only: false, allow_inconsistent: false },
  ...origin,
})

const create = ({ to }: Cloning, body: object, source: object): Call => ({
  remote: to.remote,
  ...request('receiveInstance', {}, { project: to.project }, { ...body, source }),
})

/** A snapshot alone, or a copy with all that it has. */
function send({ from, snapshot, to, whole }: Cloning, extra: object): Call {
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
