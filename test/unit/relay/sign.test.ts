/** What the Worker signs, against the RFC and against the relay. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSign, type SignedHeaders, type Unsigned } from '../../../functions/incus/sign.ts'
import { createAuthenticate, hasDigest } from '../../../relay/authenticate.ts'

const NOW = Date.parse('2026-11-22T03:00:00Z') / 1000
const KEY = randomBytes(32)

const signWith = (keyid: string) => createSign({ keyid, secret: KEY.toString('base64') })

/** Said a second time, apart from the library, by section 2.5 of RFC 9421: what is signed, and with which parameters. */
function byHand(
  { method, url }: Unsigned,
  keyid: string,
  ours: SignedHeaders,
): Omit<SignedHeaders, 'content-digest'> {
  const nonce = /;nonce="([0-9a-f]{32})";/.exec(ours['signature-input'])?.[1] ?? ''
  const { pathname, search } = new URL(url)
  const parameters = `("@method" "@path" "@query" "content-digest");created=${NOW};nonce="${nonce}";keyid=${quoted(keyid)};alg="hmac-sha256"`
  const base = [
    `"@method": ${method}`,
    `"@path": ${pathname}`,
    // An empty query is signed as one too.
    `"@query": ${search || '?'}`,
    `"content-digest": ${ours['content-digest']}`,
    `"@signature-params": ${parameters}`,
  ].join('\n')
  const mac = createHmac('sha256', KEY).update(base).digest('base64')
  return { signature: `stapes=:${mac}:`, 'signature-input': `stapes=${parameters}` }
}

/** A string of RFC 8941. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

const digestOf = (body = ''): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`

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

test('any request is signed as the RFC says, and the relay lets it in', async () => {
  const sign = await signWith('worker')
  const authenticate = createAuthenticate({ worker: KEY }, NOW, () => NOW)
  const agrees = async (request: Unsigned): Promise<void> => {
    const ours = await sign(request, new Date(NOW * 1000 + 999))
    expect(ours).toEqual({ ...byHand(request, 'worker', ours), 'content-digest': digestOf(request.body) })
    const caller = await authenticate(arriving(request, ours))
    expect(caller).toEqual({
      ok: true,
      value: { keyid: 'worker', digest: ours['content-digest'], created: NOW },
    })
    expect(hasDigest(Buffer.from(request.body ?? ''), ours['content-digest'])).toBe(true)
  }
  await fc.assert(fc.asyncProperty(requests, agrees), { numRuns: 500 })
})

test.each([
  { name: 'no query', url: 'http://relay/v1/batch' },
  { name: 'an empty query', url: 'http://relay/v1/batch?' },
  { name: 'no path', url: 'http://relay' },
  { name: 'dots', url: 'http://relay/v1/../v1/./batch?a=%2e%2E' },
])('$name is signed as the RFC says', async ({ url }) => {
  const request = { method: 'POST', url, body: '{}' }
  const ours = await (await signWith('worker'))(request, new Date(NOW * 1000))
  expect(ours).toMatchObject(byHand(request, 'worker', ours))
})

test('a keyid with quotes is written as a string of RFC 8941', async () => {
  const request = { method: 'GET', url: 'http://relay/' }
  const ours = await (await signWith('a"b\\c'))(request, new Date(NOW * 1000))
  expect(ours).toMatchObject(byHand(request, 'a"b\\c', ours))
})

test('each signature has a nonce of its own', async () => {
  const sign = await signWith('worker')
  const request = { method: 'GET', url: 'http://relay/' }
  const made = await Promise.all([sign(request, new Date()), sign(request, new Date())])
  expect(new Set(made.map(({ signature }) => signature)).size).toBe(2)
})
