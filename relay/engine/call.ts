/** One call to Incus and what its answer means. */
import type { IncusRequest } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { safeText } from '../../shared/safe-text.ts'
import { type Envelope, parseEnvelope } from './envelope.ts'
import type { Reply, Upstream } from './upstream.ts'

export type Answer = {
  status: number
  envelope: Envelope
  body: unknown
  address?: string
  date?: number
  etag?: string
}

/** Milliseconds for a call that only reads or only starts something. */
export const CALL_TIMEOUT = 60_000

export async function call(
  upstream: Upstream,
  remote: string,
  request: IncusRequest,
  timeout = CALL_TIMEOUT,
): Promise<Result<Answer, CallError>> {
  return readAnswer(remote, await upstream.request(remote, request, { timeout }))
}

export function readAnswer(remote: string, reply: Reply): Result<Answer, CallError> {
  if (!reply.ok) return err(reply.error)
  const { status, body, address, date, etag } = reply
  const envelope = parseEnvelope(body)
  if (envelope === null) return err(badReply(remote, status, 'it is not in the form of Incus’s answers'))
  if (envelope.type !== 'error' && status < 400)
    return ok({
      status,
      envelope,
      body,
      ...(address === undefined ? {} : { address }),
      ...(date === undefined ? {} : { date }),
      ...(etag === undefined ? {} : { etag }),
    })
  return err(refusal(remote, status < 400 ? envelope.errorCode : status, envelope.error))
}

export const badReply = (remote: string, status: number, why: string): CallError => ({
  code: 'bad-reply',
  status,
  message: `the answer of "${remote}" can't be used: ${why}; is its url that of an Incus server?`,
})

export const untrusted = (remote: string): CallError => ({
  code: 'untrusted',
  message: `Incus at "${remote}" doesn't trust the relay's client certificate: add it there with "incus config trust add-certificate <file>"`,
})

/** No other call is sent there: its API looks alike and may mean something else. */
export const notIncus = (remote: string, product: string): CallError => ({
  code: 'not-incus',
  message: `"${remote}" is not Incus: it says it is ${product}; ${/^lxd\b/i.test(product) ? 'turn it into Incus with "lxd-to-incus" on that server' : "check the remote's url"}, or remove the remote from the relay's configuration`,
})

const refusal = (remote: string, status: number, message: string): CallError =>
  status === 403 && message === NOT_AUTHORIZED
    ? untrusted(remote)
    : { code: 'incus', status, message: message === '' ? `status ${status} without a text` : message }

/** Incus's text for an untrusted certificate; a restricted one gets another text. */
const NOT_AUTHORIZED = 'not authorized'

/** Thrown where nothing should: it ends this job, and its effect is unknown. */
export const brokenBy = (cause: unknown): CallError => ({
  code: 'bad-reply',
  message: `the relay could not go on, and the effect is unknown: ${safeText(String(cause))}`,
})
