/** Copies between two servers: pull (the target dials the source) and push (the source dials the target). */

import { addInstance, settingsOf, typeOf } from './birth.ts'
import { record, section, text } from './body.ts'
import { Refusal, type Reply } from './envelope.ts'
import { checkConfig, instanceOperation } from './instances.ts'
import {
  dial,
  expectDial,
  newSecrets,
  type Peer,
  parsePeer,
  type Receiving,
  type Sending,
} from './migration.ts'
import { checkInstanceName } from './names.ts'
import type { Operation } from './operations.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { busyText, reachable } from './snapshots.ts'
import { findInstance, findProject, findSnapshot, type Instance } from './state.ts'
import { forgetInstance, Transfer } from './transfer.ts'

const NO_CRIU =
  "Unable to perform live container migration. CRIU isn't installed on the source server. To migrate the container, stop the container before migration or install CRIU on the source server"

/** `POST /1.0/instances/{instance}` with `migration`: offers the instance, or pushes it to `target`. */
export function sendInstance(server: EmbeddedIncus, call: Call): Reply {
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  const body = record(call.body)
  if (body.live === true && instance.status === 'Running') throw new Refusal(500, NO_CRIU)
  const peer = body.target ? parsePeer(body.target, 'secrets', 'migration source') : null
  const sending = (operation: Operation): Sending => ({
    server,
    operation,
    instance,
    instanceOnly: body.instance_only === true,
    allowInconsistent: body.allow_inconsistent === true,
  })
  return peer === null ? offer(server, sending, instance) : push(server, sending, instance, peer)
}

/** `POST …/snapshots/{snapshot}` with `migration`: offers that snapshot alone, or pushes it, as an instance of its own. */
export function sendSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const original = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  const snapshot = findSnapshot(original, call.parameters.snapshot ?? '')
  const body = record(call.body)
  const peer = body.target ? parsePeer(body.target, 'secrets', 'migration source') : null
  const instance: Instance = { ...original, disk: snapshot.disk, snapshots: new Map(), busy: null }
  const sending = (operation: Operation): Sending => ({
    ...{ server, operation, instance, instanceOnly: true, allowInconsistent: true },
    alone: { instance: original, snapshot },
  })
  return peer === null ? offer(server, sending, original) : push(server, sending, original, peer)
}

type SendingOf = (operation: Operation) => Sending

function offer(server: EmbeddedIncus, sending: SendingOf, instance: Instance): Reply {
  const secrets = newSecrets(server)
  const operation = server.operations.start({
    ...instanceOperation('Migrating instance', instance),
    class: 'websocket',
    metadata: () => ({ ...secrets, ...progressOf(server, operation) }),
    cancel: () => cancelOffer(server, operation),
  })
  expectDial(sending(operation), secrets, () => {
    const text = 'Failed waiting for migration control connection on source: context deadline exceeded'
    server.operations.end(operation, new Refusal(500, text))
  })
  return server.operations.reply(operation)
}

/** In mid-transfer the target fails for it; one that nobody dialled is cancelled within a second. */
function cancelOffer(server: EmbeddedIncus, operation: Operation): void {
  const transfer = transferOf(server, operation)
  if (transfer !== undefined) {
    server.operations.end(operation, null, 401)
    transfer.fail('websocket: close 1006 (abnormal closure): unexpected EOF')
    return
  }
  server.migrations.get(operation.id)?.stopWaiting()
  operation.state = 104
  server.after(500, () => server.operations.end(operation, null, 401))
}

const transferOf = (server: EmbeddedIncus, operation: Operation): Transfer | undefined =>
  [...server.transfers].find(
    ({ source, target }) => source.operation === operation || target.operation === operation,
  )

const progressOf = (server: EmbeddedIncus, operation: Operation): Record<string, string> | null =>
  transferOf(server, operation)?.progress() ?? null

function push(server: EmbeddedIncus, sending: SendingOf, instance: Instance, peer: Peer): Reply {
  const operation = server.operations.start({
    ...instanceOperation('Migrating instance', instance),
    metadata: () => progressOf(server, operation),
  })
  server.after(0, () => {
    try {
      const target = dial(server, peer)
      if ('volume' in target || !('isNew' in target)) throw new Refusal(500, 'websocket: bad handshake')
      new Transfer(sending(operation), target).begin()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const text = `Failed waiting for migration control connection on source: ${error.message}`
      server.operations.end(operation, new Refusal(500, text))
    }
  })
  return server.operations.reply(operation)
}

/** `POST /1.0/instances` with a migration source: a first copy, or a refresh of what is there. */
export function receiveInstance(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const source = section(body, 'source')
  checkProject(server, call.project)
  const mode = text(source, 'mode')
  if (mode !== 'pull' && mode !== 'push') throw new Refusal(501, `Mode "${mode}" not implemented`)
  const name = text(body, 'name')
  checkInstanceName(name)
  const present =
    source.refresh === true ? findProject(server.state, call.project).instances.get(name) : undefined
  if (present !== undefined) checkExclusive(present)
  const settings = settingsOf(body)
  if (present === undefined) checkConfig(settings.config)
  const peer = mode === 'pull' ? parsePeer(source, 'secrets', 'migration sink') : null
  const instance = present ?? addInstance(server, call.project, name, settings, typeOf(body))
  const isNew = present === undefined
  instance.busy = 'create'
  instance.unfinished ||= isNew
  const receiving = (operation: Operation): Receiving => ({
    server,
    operation,
    instance,
    isNew,
    excludeOlder: source.refresh_exclude_older === true,
    instanceOnly: source.instance_only === true,
  })
  return peer === null ? expectPush(server, receiving, instance) : pull(server, receiving, instance, peer)
}

function checkProject(server: EmbeddedIncus, project: string): void {
  if (!server.state.projects.has(project)) throw new Refusal(404, 'Failed loading project: Project not found')
}

function checkExclusive(instance: Instance): void {
  const lock = 'Failed getting exclusive access to instance'
  if (instance.status !== 'Stopped') throw new Refusal(500, `${lock}: Instance is running`)
  if (instance.busy !== null) throw new Refusal(500, `${lock}: ${busyText(instance.busy)}`)
}

type ReceivingOf = (operation: Operation) => Receiving

function pull(server: EmbeddedIncus, receiving: ReceivingOf, instance: Instance, peer: Peer): Reply {
  const operation = server.operations.start({
    ...instanceOperation('Creating instance', instance),
    metadata: () => progressOf(server, operation),
  })
  const target = receiving(operation)
  server.after(0, () => {
    try {
      const source = dial(server, peer)
      if ('volume' in source || 'isNew' in source) throw new Refusal(500, 'websocket: bad handshake')
      new Transfer(source, target).begin()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      abandon(target, error.message)
    }
  })
  return server.operations.reply(operation)
}

function expectPush(server: EmbeddedIncus, receiving: ReceivingOf, instance: Instance): Reply {
  const secrets = newSecrets(server)
  const operation = server.operations.start({
    ...instanceOperation('Creating instance', instance),
    class: 'websocket',
    metadata: () => ({ ...secrets, ...progressOf(server, operation) }),
  })
  const target = receiving(operation)
  expectDial(target, secrets, () => abandon(target, 'context deadline exceeded'))
  return server.operations.reply(operation)
}

/** Nobody came: a record made for this copy goes again. */
function abandon(target: Receiving, reason: string): void {
  target.instance.busy = null
  if (target.isNew) forgetInstance(target)
  const text = `Error transferring instance data: Failed waiting for migration control connection on target: ${reason}`
  target.server.operations.end(target.operation, new Refusal(500, text))
}
