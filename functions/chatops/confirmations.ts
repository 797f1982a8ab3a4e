/**
 * Confirmations that only this Worker can issue, bound to a plan, an expiry and a place: see
 * shared/access/token.ts. That each is used only once is up to the caller.
 */
import { decodeBase64Url } from 'hono/utils/encode'
import {
  type Confirmation,
  MAC_BYTES,
  messageOf,
  parseToken,
  renderToken,
  renderUnsigned,
} from '../../shared/access/token.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { toBase64url } from '../digest.ts'
import { decodeSecret } from '../incus/sign.ts'

export type Confirmations = {
  /** `place`: where it may be pressed, as in Actor. Throws when `id` or `digest` are not of a token's form. */
  issue(confirmation: Confirmation & { place: string }): Promise<string>
  check(
    token: string,
    place: string,
    now: Date,
  ): Promise<Result<Omit<Confirmation, 'until'>, 'malformed' | 'forged' | 'expired'>>
}

const HMAC = { name: 'HMAC', hash: 'SHA-256', length: 256 }

/** `secret` is RELAY_KEY, of which a key for this alone is derived. Throws when it is none. */
export async function createConfirmations(secret: string): Promise<Confirmations> {
  const key = await deriveKey(secret)
  return {
    issue: async ({ place, ...confirmation }) => {
      const signed = renderUnsigned(confirmation)
      return renderToken(signed, toBase64url(await macOf(key, signed, place)))
    },
    check: async (text, place, now) => {
      const token = parseToken(text)
      if (token === null) return err('malformed')
      const { verb, id, digest, expiry, signed } = token
      if (!(await isSame(key, await macOf(key, signed, place), decodeBase64Url(token.mac))))
        return err('forged')
      return now.getTime() < expiry * 1000 ? ok({ verb, id, digest }) : err('expired')
    },
  }
}

let known: { of: string; made: Promise<Confirmations> } | null = null

/** The derived key is kept between requests of one isolate. */
export function confirmationsOf(secret: string): Promise<Confirmations> {
  if (known?.of !== secret) known = { of: secret, made: createConfirmations(secret) }
  return known.made
}

async function deriveKey(secret: string): Promise<CryptoKey> {
  const raw = await crypto.subtle.importKey('raw', decodeSecret('RELAY_KEY', secret), 'HKDF', false, [
    'deriveKey',
  ])
  const info = utf8('stapes confirmations')
  const kdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  return crypto.subtle.deriveKey(kdf, raw, HMAC, false, ['sign', 'verify'])
}

async function macOf(key: CryptoKey, signed: string, place: string): Promise<ArrayBuffer> {
  const whole = await crypto.subtle.sign(HMAC.name, key, utf8(messageOf(signed, place)))
  return whole.slice(0, MAC_BYTES)
}

/** In constant time: verify() takes no truncated MAC, so the MACs of both MACs are compared. */
const isSame = async (key: CryptoKey, ours: ArrayBuffer, given: Uint8Array): Promise<boolean> =>
  crypto.subtle.verify(HMAC.name, key, await crypto.subtle.sign(HMAC.name, key, ours), given)

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
