/** Services that take notifications, as strict as their documents are, on 127.0.0.1. */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Taken = {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
  json: unknown
}
type Answer = { status: number; body: string; headers?: Record<string, string> }
export type Rule = (taken: Taken) => Answer

export type StandIn = { origin: string; taken: Taken[]; rule: { now: Rule }; close(): Promise<void> }

export async function standIn(rule: Rule): Promise<StandIn> {
  const taken: Taken[] = []
  const rules = { now: rule }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      const { method = '', url: path = '', headers } = request
      const one = { method, path, headers, body, json: parse(body) }
      taken.push(one)
      const { status, body: said, headers: more = {} } = rules.now(one)
      response.writeHead(status, more).end(said)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    ...{ taken, rule: rules },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const OK: Answer = { status: 200, body: 'ok' }
const bad = (body: string, status = 400): Answer => ({ status, body })

type Map = Record<string, unknown>
const isMap = (value: unknown): value is Map =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown, longest: number): value is string =>
  typeof value === 'string' && value !== '' && value.length <= longest

/** Only JSON, by POST. */
const jsonOf = ({ method, headers, json }: Taken): Map | null =>
  method === 'POST' && headers['content-type'] === 'application/json' && isMap(json) ? json : null

export const slack: Rule = (taken) => {
  if (taken.path !== '/services/T0/B0/secret-of-slack') return bad('no_service', 404)
  const body = jsonOf(taken)
  if (body === null) return bad('invalid_payload')
  if (!isText(body.text, 40_000)) return bad('no_text')
  const blocks = Array.isArray(body.blocks) ? body.blocks : []
  const sound = blocks.every(
    (block) => isMap(block) && block.type === 'section' && isMap(block.text) && isText(block.text.text, 3000),
  )
  return sound && blocks.length <= 50 ? OK : bad('invalid_blocks')
}

export const discord: Rule = (taken) => {
  const [path = '', query = ''] = taken.path.split('?')
  const [, ref] = /^\/api\/webhooks\/1\/secret-of-discord(?:\/messages\/(\d+))?$/.exec(path) ?? [null]
  if (!path.startsWith('/api/webhooks/1/secret-of-discord')) return bad('{"message": "Unknown Webhook"}', 404)
  const body = isMap(taken.json) ? taken.json : null
  if (body === null) return bad('{"message": "Cannot send an empty message"}')
  const mentions = isMap(body.allowed_mentions) ? body.allowed_mentions.parse : null
  const embeds = Array.isArray(body.embeds) ? body.embeds : []
  const sound =
    isText(body.content, 2000) &&
    embeds.length <= 10 &&
    embeds.every((embed) => isMap(embed) && isText(embed.description, 4096)) &&
    Array.isArray(mentions) &&
    mentions.length === 0
  if (!sound) return bad('{"message": "Invalid Form Body"}')
  if (taken.method === 'PATCH') return ref === '42' ? { status: 200, body: '{"id": "42"}' } : bad('{}', 404)
  return new URLSearchParams(query).get('wait') === 'true'
    ? { status: 200, body: '{"id": "42"}' }
    : { status: 204, body: '' }
}

export const mattermost: Rule = (taken) => {
  if (taken.path !== '/hooks/secret-of-mattermost') return bad('{"message": "Invalid webhook"}', 400)
  const body = jsonOf(taken)
  return body !== null && isText(body.text, 16_383) ? OK : bad('{"message": "Unable to parse incoming data"}')
}

/** With the receiver's key, and its memory of ids. */
export function webhook(key: string, clock: () => Date): Rule {
  const seen = new Set<string>()
  return ({ headers, body }) => {
    const [id, time, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
      String(headers[`webhook-${name}`]),
    )
    if (Math.abs(Number(time) * 1000 - clock().getTime()) > 300_000) return bad('too old', 401)
    const secret = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : key
    const signature = createHmac('sha256', secret).update(`${id}.${time}.${body}`).digest('base64')
    if (!signatures?.split(' ').includes(`v1,${signature}`)) return bad('wrong signature', 401)
    if (seen.has(String(id))) return { status: 200, body: 'repeated' }
    seen.add(String(id))
    return { status: 200, body: 'new' }
  }
}

export const ntfy: Rule = (taken) => {
  const body = jsonOf(taken)
  if (taken.headers.authorization !== 'Bearer secret-of-ntfy') return bad('{"code":40101}', 401)
  if (body === null || taken.path !== '/')
    return bad('{"code":40009,"error":"invalid request: topic invalid"}')
  const { topic, title, message, priority, tags, sequence_id: sequence } = body
  const sound =
    topic === 'backups' &&
    isText(title, 250) &&
    isText(message, 4096) &&
    Buffer.byteLength(String(message)) <= 4096 &&
    [1, 2, 3, 4, 5].includes(Number(priority)) &&
    Array.isArray(tags) &&
    /^[-_A-Za-z0-9]{1,64}$/.test(String(sequence))
  return sound ? { status: 200, body: '{"id":"xE73Iyuabi"}' } : bad('{"code":40024}')
}

export const gotify: Rule = (taken) => {
  if (taken.headers['x-gotify-key'] !== 'secret-of-gotify') return bad('{"error":"Unauthorized"}', 401)
  const body = jsonOf(taken)
  if (body === null || taken.path !== '/below/message') return bad('{"error":"Not Found"}', 404)
  const sound = isText(body.message, 1_000_000) && Number.isInteger(body.priority) && isText(body.title, 1000)
  return sound ? { status: 200, body: '{"id":25}' } : bad('{"error":"Bad Request"}')
}
