/** What is signed by hand, against the library by which the relay verifies. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { createSignatureSync, type SignatureFields } from 'http-message-sig'
import { expect, test } from 'vitest'
import { createSign, type SignedHeaders, type Unsigned } from '../../../functions/incus/sign.ts'
import { createAuthenticate, hasDigest } from '../../../relay/authenticate.ts'
import { ALGORITHM, COMPONENTS, LABEL } from '../../../shared/relay/signature.ts'

const NOW = Date.parse('2026-11-22T03:00:00Z') / 1000
const KEY = randomBytes(32)

const signWith = (keyid: string) => createSign({ keyid, secret: KEY.toString('base64') })

/** The library's signature of the same request with the same nonce. */
function libraryOf(
  { method, url, body = '' }: Unsigned,
  keyid: string,
  ours: SignedHeaders,
): SignatureFields {
  const nonce = /;nonce="([0-9a-f]{32})";/.exec(ours['signature-input'])?.[1] ?? ''
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
  const fields = [{ name: 'content-digest', value: digest }]
  const message = { kind: 'request' as const, method, targetUri: new URL(url).href, fields }
  return createSignatureSync(message, {
    label: LABEL,
    components: COMPONENTS,
    parameters: { created: NOW, nonce, keyid, alg: ALGORITHM },
    signer: { algorithm: ALGORITHM, sign: (base) => createHmac('sha256', KEY).update(base).digest() },
  })
}

/** As it arrives: without the origin, and in the form that fetch gives it. */
const arriving = ({ method, url }: Unsigned, headers: SignedHeaders): IncomingMessage =>
  ({ method, url: pathOf(new URL(url)), headers: { ...headers } }) as unknown as IncomingMessage

const pathOf = ({ origin, href }: URL): string => href.slice(origin.length)

const piece = fc.string({ unit: fc.constantFrom(...'aZ09-._~!$&()*+,;=:@%"\\\'<>{}|^`[] ü€🙂/?') })

const requests: fc.Arbitrary<Unsigned> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
  url: fc
    .tuple(fc.constantFrom('http://127.0.0.1:8788', 'https://relay.example', 'http://relay'), piece, piece)
    .map(([origin, path, query]) => `${origin}/v1/${path}?${query}`),
  body: fc.string({ unit: 'binary' }),
})

test('any request is signed as the library would sign it, and the relay lets it in', async () => {
  const sign = await signWith('worker')
  const authenticate = createAuthenticate({ worker: KEY }, NOW, () => NOW)
  const agrees = async (request: Unsigned): Promise<void> => {
    const ours = await sign(request, new Date(NOW * 1000 + 999))
    const { signature, signatureInput } = libraryOf(request, 'worker', ours)
    expect(ours).toMatchObject({ signature, 'signature-input': signatureInput })
    const caller = await authenticate(arriving(request, ours))
    expect(caller).toEqual({ ok: true, value: { keyid: 'worker', digest: ours['content-digest'] } })
    expect(hasDigest(Buffer.from(request.body ?? ''), ours['content-digest'])).toBe(true)
  }
  await fc.assert(fc.asyncProperty(requests, agrees), { numRuns: 500 })
})

test.each([
  { name: 'no query', url: 'http://relay/v1/batch' },
  { name: 'an empty query', url: 'http://relay/v1/batch?' },
  { name: 'no path', url: 'http://relay' },
  { name: 'dots', url: 'http://relay/v1/../v1/./batch?a=%2e%2E' },
])('$name is signed as the library would sign it', async ({ url }) => {
  const request = { method: 'POST', url, body: '{}' }
  const ours = await (await signWith('worker'))(request, new Date(NOW * 1000))
  const { signature, signatureInput } = libraryOf(request, 'worker', ours)
  expect(ours).toMatchObject({ signature, 'signature-input': signatureInput })
})

test('a keyid with quotes is written as a string of RFC 8941', async () => {
  const request = { method: 'GET', url: 'http://relay/' }
  const ours = await (await signWith('a"b\\c'))(request, new Date(NOW * 1000))
  const { signature, signatureInput } = libraryOf(request, 'a"b\\c', ours)
  expect(ours).toMatchObject({ signature, 'signature-input': signatureInput })
})

test('each signature has a nonce of its own', async () => {
  const sign = await signWith('worker')
  const request = { method: 'GET', url: 'http://relay/' }
  const made = await Promise.all([sign(request, new Date()), sign(request, new Date())])
  expect(new Set(made.map(({ signature }) => signature)).size).toBe(2)
})
