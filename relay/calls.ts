/** The relay's HTTP calls, for authenticated callers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { serializeReply } from '../shared/relay/packing.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { allowBody, allowRoute } from './engine/allow.ts'
import type { Engine } from './engine/engine.ts'
import { isGuarded } from './engine/guard.ts'
import { unknownRemote } from './engine/job.ts'
import { forward } from './forward.ts'
import { createLines } from './lines.ts'
import { callProblem, sendProblem } from './problem.ts'
import { parseBatch, parseInventory, parseJson } from './requests.ts'
import type { RemoteConfig, Upstreams } from './upstreams.ts'

export type Services = {
  engine: Engine
  upstreams: Upstreams
  remotes: Record<string, RemoteConfig>
  /** A line for the operator. */
  log(line: string): void
}

/** What a call does with its body; resolves when the answer is on its way. */
type Call = (body: Buffer, response: ServerResponse) => void | Promise<void>

const REMOTE = /^\/v1\/remotes\/([^/?]+)(\/1\.0.*)$/

/** Null when there is no such call. */
export function findCall({ method = '', url = '' }: IncomingMessage, services: Services): Call | null {
  const found = REMOTE.exec(url)
  if (found !== null) return forwardCall(services, method, found[1] ?? '', found[2] ?? '')
  if (method !== 'POST') return null
  if (url === '/v1/inventory') return (body, response) => inventoryCall(services, body, response)
  if (url === '/v1/batch') return (body, response) => batchCall(services, body, response)
  return null
}

const forwardCall =
  ({ upstreams, remotes }: Services, method: string, rawRemote: string, path: string): Call =>
  (body, response) => {
    const remote = decodeRemote(rawRemote)
    const pools = upstreams.pools(remote)
    if (pools === undefined) return refuse(response, unknownRemote(remote, remotes))
    const route = allowRoute(method, path)
    if (!route.ok) return refuse(response, route.error)
    if (isGuarded(route.value) || route.value.name === 'deleteSnapshot') return refuse(response, inBatchOnly)
    const clean = cleanBody(body)
    if (!clean.ok) return refuse(response, clean.error)
    const allowed = allowBody(route.value, clean.value)
    if (!allowed.ok) return refuse(response, allowed.error)
    // Serialized from the checked value, so that of a duplicate key Incus sees the one that was checked.
    const bytes = clean.value === undefined ? body : Buffer.from(JSON.stringify(clean.value))
    forward(pools, { remote, method, path, match: route.value, body: bytes }, response)
  }

const inBatchOnly: CallError = {
  code: 'not-allowed',
  message:
    'calls that delete, restore or mark are accepted only in a batch, where the relay checks them first',
}

const cleanBody = (body: Buffer): ReturnType<typeof parseJson> =>
  body.length === 0 ? { ok: true, value: undefined } : parseJson(body)

function decodeRemote(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    return raw
  }
}

async function inventoryCall({ engine }: Services, body: Buffer, response: ServerResponse): Promise<void> {
  const request = parseInventory(body)
  if (!request.ok) return refuse(response, request.error)
  const reply = Buffer.from(serializeReply(await engine.inventory(request.value)))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': reply.length })
  response.end(reply)
}

/** Headers are sent at once: a proxy gives up after two minutes without any. */
async function batchCall({ engine, log }: Services, body: Buffer, response: ServerResponse): Promise<void> {
  const request = parseBatch(body)
  if (!request.ok) return refuse(response, request.error)
  if (request.value.record !== undefined) log(recordLine(request.value.record))
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  response.flushHeaders()
  const lines = createLines(response)
  await engine.batch(request.value, lines.write)
  lines.end()
}

/** It holds names that people chose: only printable ASCII gets into the log, the rest is escaped as in JSON. */
const recordLine = (record: string): string =>
  `record: ${record.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}`

const refuse = (response: ServerResponse, error: CallError): void => sendProblem(response, callProblem(error))
