/** Copies of custom volumes between two servers, pulled or pushed: as those of instances, and without their locks. */
import { config, field, record, section, text } from './body.ts'
import { addCustom, customIn, findCustom, operationOnVolume } from './custom.ts'
import { forgetVolume, type VolumeReceiving, type VolumeSending, VolumeTransfer } from './custom-transfer.ts'
import { Refusal, type Reply } from './envelope.ts'
import { dial, expectDial, newSecrets, type Peer, parsePeer } from './migration.ts'
import type { Operation } from './operations.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { copyingMs } from './snapshots.ts'
import { type Custom, findPool } from './state.ts'

const transferOf = (server: EmbeddedIncus, operation: Operation): VolumeTransfer | undefined =>
  [...server.volumeTransfers].find(
    ({ source, target }) => source.operation === operation || target.operation === operation,
  )

const progressOf = (server: EmbeddedIncus, operation: Operation): Record<string, string> | null =>
  transferOf(server, operation)?.progress() ?? null

/** `POST …/volumes/custom/{volume}` with `migration`: offers the volume, or pushes it to `target`. */
export function sendVolume(server: EmbeddedIncus, call: Call): Reply {
  const volume = findCustom(server, call)
  const body = record(call.body)
  if (body.migration !== true) throw new Refusal(501, 'the embedded Incus renames no volumes')
  const peer = body.target ? parsePeer(body.target, 'secrets', 'migration source') : null
  const about = operationOnVolume('Migrating storage volume', volume, call)
  const sending = (operation: Operation): VolumeSending => ({
    ...{ server, operation, volume, volumeOnly: body.volume_only === true },
  })
  if (peer !== null) {
    const operation = server.operations.start({ ...about, metadata: () => progressOf(server, operation) })
    server.after(0, () => push(sending(operation), peer))
    return server.operations.reply(operation)
  }
  const secrets = newSecrets(server)
  const operation = server.operations.start({
    ...{ ...about, class: 'websocket' as const },
    metadata: () => ({ ...secrets, ...progressOf(server, operation) }),
    // Up to 6.0.5 a copy of a volume can't be cancelled.
    ...(server.face.nested ? { cancel: () => cancelOffer(server, operation) } : {}),
  })
  expectDial(sending(operation), secrets, () => {
    const why = 'Failed waiting for migration control connection on source: context deadline exceeded'
    server.operations.end(operation, new Refusal(500, why))
  })
  return server.operations.reply(operation)
}

/** In mid-transfer the target fails, and keeps the records of what it hasn't got. */
function cancelOffer(server: EmbeddedIncus, operation: Operation): void {
  const transfer = transferOf(server, operation)
  if (transfer === undefined) {
    server.migrations.get(operation.id)?.stopWaiting()
    operation.state = 104
    server.after(500, () => server.operations.end(operation, null, 401))
    return
  }
  server.operations.end(operation, null, 401)
  const why = 'Got error reading migration source: websocket: close 1006 (abnormal closure): unexpected EOF'
  transfer.fail(why, { keepsRecords: true })
}

function push(source: VolumeSending, peer: Peer): void {
  try {
    const target = dial(source.server, peer)
    if (!('volume' in target) || !('isNew' in target)) throw new Refusal(500, 'websocket: bad handshake')
    new VolumeTransfer(source, target).begin()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    source.server.operations.end(source.operation, error)
  }
}

/** `POST …/volumes/custom` with a migration source: a first copy, or a refresh of what is there, whoever uses that. */
export function receiveVolume(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const { pool = '' } = call.parameters
  const source = section(body, 'source')
  findPool(server.state, pool)
  const mode = text(source, 'mode')
  const name = text(body, 'name')
  const present = customIn(server, pool, call.project).find((one) => one.name === name)
  if (present !== undefined && source.refresh !== true)
    throw new Refusal(409, 'Volume by that name already exists')
  const peer = mode === 'pull' ? parsePeer(source, 'secrets', 'migration sink') : null
  const volume = present ?? create(server, call, name)
  const secrets = newSecrets(server)
  const operation = server.operations.start({
    ...operationOnVolume('Copying storage volume', volume, call),
    ...(peer === null ? { class: 'websocket' as const } : {}),
    metadata: () => ({ ...(peer === null ? secrets : {}), ...progressOf(server, operation) }),
  })
  const receiving: VolumeReceiving = {
    ...{ server, operation, volume, isNew: present === undefined },
    ...{ excludeOlder: source.refresh_exclude_older === true, volumeOnly: source.volume_only === true },
  }
  if (present === undefined && volume.config['snapshots.schedule'] === '@never')
    server.after(0, () =>
      abandon(receiving, `Invalid value for volume "${name}" option "snapshots.schedule"`),
    )
  else if (peer === null)
    expectDial(receiving, secrets, () => abandon(receiving, 'context deadline exceeded'))
  else server.after(0, () => pull(receiving, peer))
  return server.operations.reply(operation)
}

/** Keys that the pool's driver doesn't know are dropped. */
const isKept = ([key]: [string, string]): boolean => /^(user|volatile|security|snapshots)\.|^size$/.test(key)

function create(server: EmbeddedIncus, call: Call, name: string): Custom {
  const { pool = '' } = call.parameters
  const kept = Object.fromEntries(Object.entries(config(record(call.body))).filter(isKept))
  const content = (field(call.body, 'content_type') || 'filesystem') as Custom['content']
  const more = { content, description: text(record(call.body), 'description'), config: kept }
  const volume = addCustom(server, { pool, project: call.project, name }, more)
  volume.disk = { ...volume.disk, held: 'empty' }
  return volume
}

function pull(target: VolumeReceiving, peer: Peer): void {
  try {
    const source = dial(target.server, peer)
    if (!('volume' in source) || 'isNew' in source) throw new Refusal(500, 'websocket: bad handshake')
    new VolumeTransfer(source, target).begin()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    abandon(target, `Failed waiting for migration "control" connection on target: ${error.message}`)
  }
}

/** `POST …/volumes/custom` with a snapshot of the same server: a new volume. Its operation names nothing. */
export function copyVolume(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const source = section(body, 'source')
  const [from = '', snapshot = ''] = text(source, 'name').split('/')
  const place = {
    parameters: { pool: text(source, 'pool'), volume: from },
    project: text(source, 'project') || call.project,
  }
  const original = findCustom(server, { ...call, ...place }).snapshots.get(snapshot)
  if (original === undefined) throw new Refusal(404, 'Storage pool volume not found')
  const { pool = '' } = call.parameters
  const name = text(body, 'name')
  findPool(server.state, pool)
  if (customIn(server, pool, call.project).some((one) => one.name === name))
    throw new Refusal(409, 'Volume by that name already exists')
  const volume = create(server, call, name)
  return server.operations.task(
    { description: 'Copying storage volume', project: call.project, resources: {} },
    {
      ms: server.copyMs + copyingMs(server, pool, original.disk),
      end: () => {
        const present = findPool(server.state, pool).volumes.get(`${volume.project}/${name}`)
        // It was deleted meanwhile, and what has its name since goes as well.
        if (present !== volume) {
          if (present !== undefined) forgetVolume(server, present)
          throw new Refusal(500, 'Failed to run: rsync: exit status 23')
        }
        if (findPool(server.state, pool).full) {
          forgetVolume(server, volume)
          throw new Refusal(500, 'Failed to copy: No space left on device')
        }
        volume.disk = { ...original.disk }
      },
    },
  )
}

/** Nobody came: a record made for this copy goes again. */
function abandon({ server, operation, volume, isNew }: VolumeReceiving, reason: string): void {
  if (isNew) forgetVolume(server, volume)
  server.operations.end(operation, new Refusal(500, `Error transferring storage volume: ${reason}`))
}
