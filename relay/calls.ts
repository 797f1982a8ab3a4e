/** The relay's HTTP calls, for authenticated callers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { serializeReply } from '../shared/relay/packing.ts'
import type { CallError, ComesAgain } from '../shared/relay/protocol.ts'
import type { Engine } from './engine/engine.ts'
import type { Emit } from './events.ts'
import type { Examine } from './examine.ts'
import { createLines } from './lines.ts'
import { callProblem, sendProblem } from './problem.ts'
import { parseBatch, parseExam, parseFiles, parseGlance, parseInventory } from './requests.ts'
import { sendFile } from './send-file.ts'

export type Services = {
  engine: Engine
  /** Absent: it is no call. */
  examine?: Examine
  /** A line for the operator. */
  log(line: string): void
  /** What happened, for machines. */
  emit?: Emit
  /** A tick of the Worker with that key came, and the next one comes within so many milliseconds. */
  heard?(keyid: string, again: number): void
}

/** What a call of a key does with its body; resolves when the answer is on its way. */
type Call = (body: Buffer, response: ServerResponse, keyid: string) => void | Promise<void>

/** Null when there is no such call. */
export function findCall({ method = '', url = '' }: IncomingMessage, services: Services): Call | null {
  if (method !== 'POST') return null
  if (url === '/v1/glance') return (...call) => glanceCall(services, ...call)
  if (url === '/v1/inventory') return (...call) => inventoryCall(services, ...call)
  if (url === '/v1/batch') return (body, response) => batchCall(services, body, response)
  if (url === '/v1/files') return (body, response) => filesCall(services, body, response)
  const { examine } = services
  if (url === '/v1/examine' && examine !== undefined)
    return (body, response) => examineCall(examine, body, response)
  return null
}

async function glanceCall(services: Services, ...[body, response, keyid]: Parameters<Call>): Promise<void> {
  const { engine } = services
  const request = parseGlance(body)
  if (!request.ok) return refuse(response, request.error)
  noteHeard(services, keyid, request.value)
  sendJson(response, JSON.stringify(await engine.glance(request.value)))
}

async function inventoryCall(
  services: Services,
  ...[body, response, keyid]: Parameters<Call>
): Promise<void> {
  const { engine } = services
  const request = parseInventory(body)
  if (!request.ok) return refuse(response, request.error)
  noteHeard(services, keyid, request.value)
  sendJson(response, serializeReply(await engine.inventory(request.value)))
}

function noteHeard({ heard }: Services, keyid: string, { again }: ComesAgain): void {
  if (again !== undefined) heard?.(keyid, again)
}

function sendJson(response: ServerResponse, text: string): void {
  const reply = Buffer.from(text)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': reply.length })
  response.end(reply)
}

/** Headers are sent at once: a proxy gives up after two minutes without any. */
async function batchCall(
  { engine, log, emit }: Services,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const request = parseBatch(body)
  if (!request.ok) return refuse(response, request.error)
  if (request.value.record !== undefined) log(recordLine(request.value.record))
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  response.flushHeaders()
  const lines = createLines(response)
  const began = performance.now()
  let failed = 0
  await engine.batch(request.value, (line) => {
    if ('steps' in line && line.steps.some(({ ok }) => !ok)) failed += 1
    lines.write(line)
  })
  lines.end()
  const { jobs, run } = request.value
  const ms = Math.round(performance.now() - began)
  emit?.({ event: 'batch', ...(run === undefined ? {} : { run }), jobs: jobs.length, failed, ms })
}

async function filesCall({ engine, log }: Services, body: Buffer, response: ServerResponse): Promise<void> {
  const request = parseFiles(body)
  if (!request.ok) return refuse(response, request.error)
  if (request.value.record !== undefined) log(recordLine(request.value.record))
  const reply =
    request.value.do === 'list'
      ? await engine.files.list(request.value)
      : await engine.files.get(request.value)
  if (reply.state === 'sent') return sendFile(reply.sent, response, log)
  sendJson(response, JSON.stringify(reply))
}

async function examineCall(examine: Examine, body: Buffer, response: ServerResponse): Promise<void> {
  const request = parseExam(body)
  if (!request.ok) return refuse(response, request.error)
  sendJson(response, JSON.stringify(await examine(request.value)))
}

/** It holds names that people chose: only printable ASCII gets into the log, the rest is escaped as in JSON. */
const recordLine = (record: string): string =>
  `record: ${record.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}`

const refuse = (response: ServerResponse, error: CallError): void => sendProblem(response, callProblem(error))
