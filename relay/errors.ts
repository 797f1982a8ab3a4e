/** Errors between relay and Incus, and whether the request may have had an effect. */
import { own } from '../shared/own.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { safeText } from '../shared/safe-text.ts'

/** The server showed another certificate than the pinned one; no request was sent. */
export class CertificateMismatch extends Error {
  readonly seen: string

  constructor(seen: string) {
    super(`certificate ${seen} isn't the pinned one`)
    this.seen = seen
  }
}

/** Clearer texts for common error codes. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused: is Incus running there, with core.https_address set?',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: "the host name can't be looked up",
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ECONNRESET: 'the connection was reset',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'the server closed the connection',
}

/** `at`: its URL, where it has several. `sent`: bytes of the request may have left; then its effect is unknown. */
export function callError(remote: string, at: string | null, error: Error, sent: boolean): CallError {
  const who = at === null ? `"${remote}"` : `"${remote}" at ${at}`
  if (error instanceof CertificateMismatch) {
    const key = `remotes.${remote}.fingerprint`
    const cure = at === null ? `set ${key} to that` : `add that to the list ${key}`
    return {
      code: 'certificate',
      message: `${who} shows certificate ${error.seen}, which isn't the pinned one: nothing was sent. If its certificate was replaced on purpose, compare that on the server (incus info | grep certificate_fingerprint) and ${cure} in relay.jsonc; if not, find out who answers there`,
    }
  }
  const reason = reasonOf(error)
  return sent
    ? { code: 'timeout', message: `${who} gave no answer, so the effect is unknown: ${reason}` }
    : { code: 'unreachable', message: `${who} can't be reached, and nothing was sent: ${reason}` }
}

function reasonOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return own(REASONS, code) ?? safeText(`${error.message}${code === '' ? '' : ` (${code})`}`)
}

/** The relay's HTTP status for an error that it returns instead of Incus's answer. */
export const STATUS: Record<CallError['code'], number> = {
  incus: 502,
  unreachable: 502,
  timeout: 504,
  vanished: 502,
  running: 504,
  certificate: 502,
  untrusted: 502,
  'not-incus': 502,
  'unknown-remote': 404,
  'not-allowed': 403,
  locked: 409,
  cancelled: 409,
  'bad-reply': 502,
  export: 502,
  'bad-request': 400,
}
