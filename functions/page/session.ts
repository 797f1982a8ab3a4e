/** The session cookie: until when it holds, signed with a key that the token and the relay's key give together. */
import { decodeBase64Url } from 'hono/utils/encode'
import { toBase64url } from '../digest.ts'
import type { Env } from '../env.ts'
import { decodeSecret } from '../incus/sign.ts'

/** Seconds. */
export const LIFE = 12 * 3600

const HMAC = { name: 'HMAC', hash: 'SHA-256', length: 256 }

type Secrets = Pick<Env, 'RELAY_KEY' | 'STAPES_TOKEN'>

let known: { of: string; key: Promise<CryptoKey> } | null = null

/** Of another token, or another key to the relay, it is another: so each of them ends all sessions. */
function keyOf({ RELAY_KEY: secret, STAPES_TOKEN: token }: Secrets): Promise<CryptoKey> {
  const of = `${secret} ${token}`
  if (known?.of !== of) known = { of, key: deriveKey(secret, token) }
  return known.key
}

async function deriveKey(secret: string, token: string): Promise<CryptoKey> {
  const raw = await crypto.subtle.importKey('raw', decodeSecret('RELAY_KEY', secret), 'HKDF', false, [
    'deriveKey',
  ])
  const kdf = { name: 'HKDF', hash: 'SHA-256', salt: utf8(token), info: utf8('stapes sessions of the page') }
  return crypto.subtle.deriveKey(kdf, raw, HMAC, false, ['sign', 'verify'])
}

export async function issueSession(secrets: Secrets, now: Date): Promise<string> {
  const until = `${Math.floor(now.getTime() / 1000) + LIFE}`
  const mac = await crypto.subtle.sign(HMAC.name, await keyOf(secrets), utf8(until))
  return `${until}.${toBase64url(mac)}`
}

/** In constant time. */
export async function isSession(cookie: string, secrets: Secrets, now: Date): Promise<boolean> {
  const [, until = '', mac = ''] = /^(\d{1,12})\.([\w-]{43})$/.exec(cookie) ?? []
  if (until === '') return false
  const isOurs = await crypto.subtle.verify(
    HMAC.name,
    await keyOf(secrets),
    decodeBase64Url(mac),
    utf8(until),
  )
  const left = Number(until) * 1000 - now.getTime()
  // None is issued for longer: such a one was issued by a clock that was ahead.
  return isOurs && left > 0 && left <= LIFE * 1000
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
