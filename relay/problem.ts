/** Refusals over HTTP: problem+json (RFC 9457) with a stable `code`, told apart from Incus's own by their type. */
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { CallError } from '../shared/relay/protocol.ts'
import type { Refusal } from './authenticate.ts'
import { STATUS } from './errors.ts'

/** `challenge`: how to authenticate, where it isn't by a signature. */
export type Problem = { status: number; code: string; detail: string; challenge?: string }

export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, code, detail, challenge = 'Signature' } = problem
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, code, detail })
  const extra = status === 401 ? { 'www-authenticate': challenge } : {}
  response.writeHead(status, {
    ...extra,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

export const callProblem = ({ code, message }: CallError): Problem => ({
  status: STATUS[code],
  code,
  detail: message,
})

/** The answer to an unauthenticated caller; the reason is only logged. */
export const refusalProblem = ({ code }: Refusal): Problem => ({
  status: code === 'busy' ? 503 : 401,
  code,
  detail: PUBLIC[code],
})

const PUBLIC: Record<Refusal['code'], string> = {
  unsigned: 'the relay answers signed requests only (RFC 9421)',
  'bad-signature': "the signature is not valid; the relay's log says why",
  stale: "the request is too old or from the future, by the relay's clock; sign it again",
  replayed: 'the request was sent before; sign it again',
  busy: 'too many requests; try again in a minute',
}
