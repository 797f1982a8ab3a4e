/**
 * Signs the Worker's requests to the relay, see shared/relay/signature.ts. It needs nothing but
 * WebCrypto, so that Node can sign with it as well. By hand, because it is one signature over always the
 * same four parts, for which a library would be a twentieth of the Worker; the relay verifies with the
 * library, and test/unit/relay/sign.test.ts shows that both write the same to be signed.
 */
import { ALGORITHM, COMPONENTS, contentDigest, KEY_BYTES, LABEL } from '../../shared/relay/signature.ts'

/** `secret` is base64 of at least 32 random bytes; the relay knows it under the same `keyid`. */
export type SigningKey = { keyid: string; secret: string }

export type Unsigned = { method: string; url: string; body?: string }

export type SignedHeaders = { 'content-digest': string; 'signature-input': string; signature: string }

export type Sign = (request: Unsigned, created: Date) => Promise<SignedHeaders>

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

/** Imports the key once; throws when the secret is no base64 or too short, which is a matter for whoever configured it. */
export async function createSign({ keyid, secret }: SigningKey): Promise<Sign> {
  const key = await crypto.subtle.importKey('raw', decodeSecret(keyid, secret), HMAC, false, ['sign'])
  return async (request, created) => {
    const digest = contentDigest(toBase64(await sha256(request.body ?? '')))
    const seconds = Math.floor(created.getTime() / 1000)
    const parameters = `(${COMPONENTS.map(quoted).join(' ')});created=${seconds};nonce="${newNonce()}";keyid=${quoted(keyid)};alg="${ALGORITHM}"`
    const base = new TextEncoder().encode(renderBase(request, digest, parameters))
    const mac = new Uint8Array(await crypto.subtle.sign(HMAC.name, key, base))
    return {
      'content-digest': digest,
      'signature-input': `${LABEL}=${parameters}`,
      signature: `${LABEL}=:${toBase64(mac)}:`,
    }
  }
}

/** The signature base of RFC 9421, section 2.5. The URL as it goes over the wire: fetch normalises it the same way. */
function renderBase({ method, url }: Unsigned, digest: string, parameters: string): string {
  const { pathname, search } = new URL(url)
  const values = {
    '@method': method,
    '@path': pathname,
    // An empty query is signed as one too.
    '@query': search || '?',
    'content-digest': digest,
  }
  const lines = COMPONENTS.map((name) => `${quoted(name)}: ${values[name]}`)
  return [...lines, `"@signature-params": ${parameters}`].join('\n')
}

/** A string of RFC 8941. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** Throws, with what to do, when it is no base64 or too short. */
export function decodeSecret(keyid: string, secret: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(secret)
  if (bytes !== null && bytes.length >= KEY_BYTES) return bytes
  throw new Error(
    `relay key "${keyid}": expected base64 of at least ${KEY_BYTES} bytes; make one with: openssl rand -base64 ${KEY_BYTES}`,
  )
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

const sha256 = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

const newNonce = (): string => crypto.randomUUID().replaceAll('-', '')
