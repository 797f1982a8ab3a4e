/**
 * Authenticates callers of the relay: each request is signed with one of its keys, is recent and comes once.
 * A refusal says one word to the caller; the reason goes to the log.
 */
import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isSignatureError, type VerifiedSignature, type Verifier, verifySignature } from 'http-message-sig'
import {
  ALGORITHM,
  CLOCK_SKEW,
  COMPONENTS,
  contentDigest,
  LABEL,
  MAX_AGE,
  NONCE,
  PARAMETERS,
} from '../shared/relay/signature.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { createNonces } from './nonces.ts'

export type Refusal = {
  /** The same for all checks of a class, so that it doesn't reveal which one failed. */
  code: 'unsigned' | 'bad-signature' | 'stale' | 'replayed' | 'busy'
  /** Only for the log. */
  reason: string
}

/** `digest` is the value of Content-Digest that was signed, `created` the second in which. */
type Caller = { keyid: string; digest: string; created: number }

export type Authenticate = (message: IncomingMessage) => Promise<Result<Caller, Refusal>>

/** Secrets by keyid: several, so that one can be replaced without a gap. */
export type Keys = Record<string, Buffer>

/** `startedAt`: earlier nonces aren't known, so requests created before it are refused. Seconds, as `now()`. */
export function createAuthenticate(keys: Keys, startedAt: number, now: () => number): Authenticate {
  const verifiers = new Map(Object.entries(keys).map(([keyid, key]) => [keyid, createVerifier(key)]))
  const nonces = createNonces()
  return async (message) => {
    const { signature, 'signature-input': input, 'content-digest': digest } = message.headers
    if (typeof signature !== 'string' || typeof input !== 'string' || typeof digest !== 'string') {
      return err({ code: 'unsigned', reason: 'signature, signature-input or content-digest is missing' })
    }
    const verified = await verify(message, verifiers)
    if (!verified.ok) return verified
    const { keyid = '', nonce = '', created = 0 } = verified.value.parameters
    const stale = staleness(created, now(), startedAt)
    if (stale !== null) return err({ code: 'stale', reason: `key "${keyid}": ${stale}` })
    if (!NONCE.test(nonce)) return err({ code: 'bad-signature', reason: `key "${keyid}": malformed nonce` })
    const claim = nonces.claim(`${keyid} ${nonce}`, created + MAX_AGE + CLOCK_SKEW, now())
    if (claim === 'new') return ok({ keyid, digest, created })
    return err(claim === 'used' ? replayed(keyid) : busy)
  }
}

/** Whether the body is the one whose digest was signed. */
export const hasDigest = (body: Buffer, digest: string): boolean =>
  digest === (body.length === 0 ? EMPTY : digestOf(body))

const digestOf = (body: Buffer): string => contentDigest(createHash('sha256').update(body).digest('base64'))

const EMPTY = digestOf(Buffer.alloc(0))

/** Node's own HMAC: synchronous, where WebCrypto would use another thread; a key object is imported only once. */
function createVerifier(secret: Buffer): Verifier {
  const key = createSecretKey(secret)
  return {
    algorithm: ALGORITHM,
    verify(data, signature) {
      const expected = createHmac('sha256', key).update(data).digest()
      return expected.length === signature.length && timingSafeEqual(expected, signature)
    },
  }
}

async function verify(
  { method = '', url = '', headers }: IncomingMessage,
  verifiers: Map<string, Verifier>,
): Promise<Result<VerifiedSignature, Refusal>> {
  const fields = FIELDS.map((name) => ({ name, value: String(headers[name]) }))
  try {
    const verified = await verifySignature(
      // The signature doesn't cover the authority, so any value will do.
      { kind: 'request', method, targetUri: `http://relay${url}`, fields },
      {
        label: LABEL,
        policy: POLICY,
        resolveVerifier: ({ parameters }) => find(verifiers, parameters.keyid),
      },
    )
    return ok(verified)
  } catch (error) {
    if (!isSignatureError(error)) throw error
    const why = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
    return err({ code: 'bad-signature', reason: why })
  }
}

const FIELDS = ['signature', 'signature-input', 'content-digest'] as const

const POLICY = {
  algorithms: [ALGORITHM],
  requiredComponents: COMPONENTS,
  requiredParameters: PARAMETERS,
  // We check `created` only after the signature, so that an unsigned request learns nothing about our clock.
  now: 0,
  clockSkew: Number.MAX_SAFE_INTEGER,
}

function find(verifiers: Map<string, Verifier>, keyid: string | undefined): Verifier {
  const verifier = keyid === undefined ? undefined : verifiers.get(keyid)
  if (verifier === undefined) throw new Error(`no key "${keyid}"`)
  return verifier
}

function staleness(created: number, now: number, startedAt: number): string | null {
  if (created < startedAt) return `created ${startedAt - created} s before this relay's start`
  if (created > now + CLOCK_SKEW) return `created ${created - now} s in the future: compare the clocks`
  const age = now - created
  return age > MAX_AGE + CLOCK_SKEW ? `created ${age} s ago: compare the clocks` : null
}

const replayed = (keyid: string): Refusal => ({
  code: 'replayed',
  reason: `key "${keyid}": nonce used before`,
})

const busy: Refusal = { code: 'busy', reason: 'too many nonces to remember; wait a minute' }
