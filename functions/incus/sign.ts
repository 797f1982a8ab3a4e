/**
 * Signs the Worker's requests to the relay, see shared/relay/signature.ts, with the library by which the relay
 * verifies. It needs nothing but WebCrypto, so that Node can sign with it as well.
 */
import { decodeBase64, encodeBase64 } from 'hono/utils/encode'
import { createSignature } from 'http-message-sig'
import { ALGORITHM, COMPONENTS, contentDigest, KEY_BYTES, LABEL } from '../../shared/relay/signature.ts'

/** `secret` is base64 of at least 32 random bytes; the relay knows it under the same `keyid`. */
type SigningKey = { keyid: string; secret: string }

export type Unsigned = { method: string; url: string; body?: string }

export type SignedHeaders = { 'content-digest': string; 'signature-input': string; signature: string }

export type Sign = (request: Unsigned, created: Date) => Promise<SignedHeaders>

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

/** Imports the key once; throws when the secret is no base64 or too short, which is a matter for whoever configured it. */
export async function createSign({ keyid, secret }: SigningKey): Promise<Sign> {
  const key = await crypto.subtle.importKey('raw', decodeSecret(keyid, secret), HMAC, false, ['sign'])
  const sign = async (base: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.sign(HMAC.name, key, new Uint8Array(base)))
  return async ({ method, url, body = '' }, created) => {
    const digest = contentDigest(encodeBase64(await sha256(body)))
    const fields = [{ name: 'content-digest', value: digest }]
    // As it goes over the wire: fetch normalises the URL the same way.
    const message = { kind: 'request' as const, method, targetUri: new URL(url).href, fields }
    const { signature, signatureInput } = await createSignature(message, {
      label: LABEL,
      components: COMPONENTS,
      parameters: { created: Math.floor(created.getTime() / 1000), nonce: newNonce(), keyid, alg: ALGORITHM },
      signer: { algorithm: ALGORITHM, sign },
    })
    return { 'content-digest': digest, 'signature-input': signatureInput, signature }
  }
}

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
    return decodeBase64(text)
  } catch {
    return null
  }
}

const sha256 = (text: string): Promise<ArrayBuffer> =>
  crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))

const newNonce = (): string => crypto.randomUUID().replaceAll('-', '')
