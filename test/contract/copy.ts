/** A copy to another server, pulled or pushed, in its two halves. */

import { inProject, readOperation, settle } from './calls.ts'
import type { Operation } from './model.ts'
import type { ContractInstance } from './server.ts'
import type { Client, Reply, Side } from './side.ts'

export type Copy = {
  from: Side
  to: Side
  source: ContractInstance
  /** One of its snapshots, alone. */
  snapshot?: string
  /** Absent: the name of the source, in `default`. */
  target?: ContractInstance
  refresh?: boolean
  excludeOlder?: boolean
  instanceOnly?: boolean
  config?: Record<string, string>
  client?: Client
}

export type Ended = { source: Operation; target: Operation }

/** First half of a pull: the source offers itself and waits 30 s for somebody to fetch. */
export function offer(copy: Copy): Promise<Reply> {
  const { from, source, instanceOnly = false, client = 'trusted' } = copy
  if (copy.snapshot !== undefined) return sendAlone(copy, {})
  const body = { migration: true, live: false, instance_only: instanceOnly, allow_inconsistent: false }
  const parameters = { instance: source.name }
  return from.ask('sendInstance', { parameters, query: inProject(source), body, client })
}

function sendAlone({ from, source, snapshot = '', target = source, client = 'trusted' }: Copy, more: object) {
  const body = { migration: true, live: false, name: target.name, ...more }
  const parameters = { instance: source.name, snapshot }
  return from.ask('sendSnapshot', { parameters, query: inProject(source), body, client })
}

function secretsOf({ metadata }: Operation): Record<string, unknown> {
  const { control, fs } = metadata ?? {}
  return { control, fs }
}

/** `how` is laid over the source part of the body. */
export function receive(copy: Copy, how: object, more: object = {}): Promise<Reply> {
  const { to, source, target = { name: source.name }, config = {}, client = 'trusted' } = copy
  const { refresh = false, excludeOlder = false, instanceOnly = false } = copy
  const flags = { live: false, refresh, refresh_exclude_older: excludeOlder, instance_only: instanceOnly }
  const body = {
    ...{ name: target.name, architecture: 'x86_64', type: 'container', profiles: ['default'], config },
    devices: { root: { type: 'disk', path: '/', pool: to.server.pool } },
    source: { type: 'migration', ...flags, ...how },
    ...more,
  }
  return to.ask('receiveInstance', { query: inProject(target), body, client })
}

/** Second half of a pull: the target dials the source's operation. */
export function fetchOffered(copy: Copy, offered: Operation, how: object = {}): Promise<Reply> {
  const { url, certificate } = copy.from.server
  const operation = `${url}/1.0/operations/${offered.id}`
  return receive(copy, { mode: 'pull', operation, secrets: secretsOf(offered), certificate, ...how })
}

/** A pull that both servers have accepted. */
export async function startPull(copy: Copy): Promise<Ended> {
  const source = readOperation(await offer(copy))
  return { source, target: readOperation(await fetchOffered(copy, source)) }
}

/** A push that both servers have accepted: the source dials the target's operation. */
export async function startPush(copy: Copy): Promise<Ended> {
  const target = readOperation(await receive(copy, { mode: 'push' }))
  return { source: readOperation(await send(copy, target)), target }
}

function send(copy: Copy, target: Operation) {
  const { from, to, source, instanceOnly = false, client = 'trusted' } = copy
  const { url, certificate } = to.server
  const operation = `${url}/1.0/operations/${target.id}`
  const reach = { target: { operation, secrets: secretsOf(target), certificate } }
  if (copy.snapshot !== undefined) return sendAlone(copy, reach)
  const body = { migration: true, live: false, instance_only: instanceOnly, ...reach }
  return from.ask('sendInstance', {
    ...{ parameters: { instance: source.name }, query: inProject(source), body, client },
  })
}

export async function settleBoth({ from, to }: Copy, started: Ended): Promise<Ended> {
  const [source, target] = await Promise.all([settle(from, started.source), settle(to, started.target)])
  return { source, target }
}

/** Pulls to the end, and insists on success on both sides. */
export async function pull(copy: Copy): Promise<Ended> {
  const ended = await settleBoth(copy, await startPull(copy))
  const failed = [ended.source, ended.target].find(({ status_code }) => status_code !== 200)
  if (failed !== undefined) throw new Error(`${failed.description}: ${failed.status} ${failed.err}`)
  return ended
}
