import { createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createSignatureSync } from 'http-message-sig'
import { expect, test } from 'vitest'
import { createSign, type SignedHeaders } from '../../../functions/incus/sign.ts'
import { createAuthenticate, hasDigest } from '../../../relay/authenticate.ts'
import { createNonces } from '../../../relay/nonces.ts'
import { ALGORITHM, COMPONENTS, contentDigest, LABEL } from '../../../shared/relay/signature.ts'

const NOW = Date.parse('2026-11-22T03:00:00Z') / 1000
const KEYS = { old: randomBytes(32), new: randomBytes(48) }
const PATH = '/v1/remotes/main/1.0/instances?recursion=1'

const at = (seconds: number): Date => new Date(seconds * 1000)
const signWith = (keyid: string, key: Buffer) => createSign({ keyid, secret: key.toString('base64') })

const message = (headers: Partial<SignedHeaders>, method = 'GET', url = PATH): IncomingMessage =>
  ({ method, url, headers: { ...headers } }) as unknown as IncomingMessage

async function signed({ created = NOW, body = '', method = 'GET', url = PATH } = {}): Promise<SignedHeaders> {
  const sign = await signWith('new', KEYS.new)
  return sign({ method, url: `https://relay.example${url}`, body }, at(created))
}

const relayAt = (now: number, startedAt = NOW - 3600) => createAuthenticate(KEYS, startedAt, () => now)

/** What becomes of a request: the keyid that made it, or the code of its refusal. */
async function outcome(request: IncomingMessage, authenticate = relayAt(NOW)): Promise<string> {
  const caller = await authenticate(request)
  return caller.ok ? caller.value.keyid : caller.error.code
}

test.each(['old', 'new'] as const)('a request signed with the %s key is let in', async (keyid) => {
  const sign = await signWith(keyid, KEYS[keyid])
  const headers = await sign({ method: 'GET', url: `http://127.0.0.1:8788${PATH}` }, at(NOW))
  expect(await outcome(message(headers))).toBe(keyid)
})

test('the host may be any: tunnels change it', async () => {
  expect(await outcome(message(await signed()))).toBe('new')
})

test('a request without a query is signed as one', async () => {
  const headers = await signed({ url: '/v1/batch', method: 'POST', body: '{}' })
  expect(await outcome(message(headers, 'POST', '/v1/batch'))).toBe('new')
})

const tampered: { name: string; change: (headers: SignedHeaders) => IncomingMessage }[] = [
  { name: 'method', change: (headers) => message(headers, 'DELETE') },
  { name: 'path', change: (headers) => message(headers, 'GET', PATH.replace('main', 'backup')) },
  { name: 'query', change: (headers) => message(headers, 'GET', `${PATH}&all-projects=true`) },
  { name: 'digest', change: (headers) => message({ ...headers, 'content-digest': 'sha-256=:AAAA:' }) },
  { name: 'key', change: (headers) => message(replace(headers, 'keyid="new"', 'keyid="old"')) },
  {
    name: 'key to an unknown one',
    change: (headers) => message(replace(headers, 'keyid="new"', 'keyid="x"')),
  },
  { name: 'time', change: (headers) => message(replace(headers, `created=${NOW}`, `created=${NOW + 1}`)) },
  { name: 'nonce', change: (headers) => message(replace(headers, 'nonce="', 'nonce="0')) },
  { name: 'algorithm', change: (headers) => message(replace(headers, 'hmac-sha256', 'ed25519')) },
  { name: 'covered parts', change: (headers) => message(replace(headers, ' "@query"', '')) },
  {
    name: 'label',
    change: (headers) => message({ ...headers, signature: headers.signature.replace('stapes', 'x') }),
  },
  { name: 'signature to garbage', change: (headers) => message({ ...headers, signature: 'stapes=:AAAA:' }) },
]

const replace = (headers: SignedHeaders, from: string, to: string): SignedHeaders => ({
  ...headers,
  'signature-input': headers['signature-input'].replace(from, to),
})

test.each(tampered)('a change of the $name breaks the signature', async ({ change }) => {
  expect(await outcome(change(await signed()))).toBe('bad-signature')
})

/** What a careless holder of the key might send: the signature holds, but covers less than it must. */
function signedLoosely(components: readonly string[], parameters: object): IncomingMessage {
  const digest = contentDigest('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  const { signature, signatureInput } = createSignatureSync(
    {
      kind: 'request',
      method: 'GET',
      targetUri: `http://relay${PATH}`,
      fields: [{ name: 'content-digest', value: digest }],
    },
    {
      label: LABEL,
      components,
      parameters: { ...parameters },
      signer: {
        algorithm: ALGORITHM,
        sign: (data) => createHmac('sha256', KEYS.new).update(data).digest(),
      },
    },
  )
  return message({ 'content-digest': digest, signature, 'signature-input': signatureInput })
}

const whole = { created: NOW, nonce: '0123456789abcdef', keyid: 'new', alg: ALGORITHM }

test('a signature by hand over everything is let in, so that the next ones fail for what they lack', async () => {
  expect(await outcome(signedLoosely(COMPONENTS, whole))).toBe('new')
})

test.each(COMPONENTS)('a valid signature that leaves out %s is refused', async (name) => {
  const rest = COMPONENTS.filter((component) => component !== name)
  expect(await outcome(signedLoosely(rest, whole))).toBe('bad-signature')
})

test.each(['created', 'nonce', 'keyid', 'alg'] as const)(
  'a valid signature without %s is refused',
  async (name) => {
    const { [name]: _, ...rest } = whole
    expect(await outcome(signedLoosely(COMPONENTS, rest))).toBe('bad-signature')
  },
)

test('a nonce too short to be random is refused', async () => {
  expect(await outcome(signedLoosely(COMPONENTS, { ...whole, nonce: 'abc' }))).toBe('bad-signature')
})

test.each(['signature', 'signature-input', 'content-digest'] as const)(
  'without %s it is unsigned',
  async (name) => {
    const { [name]: _, ...rest } = await signed()
    expect(await outcome(message(rest))).toBe('unsigned')
  },
)

const ages = [
  { name: 'a minute and a half old', created: NOW - 90, is: 'new' },
  { name: 'older than that', created: NOW - 91, is: 'stale' },
  { name: 'half a minute ahead', created: NOW + 30, is: 'new' },
  { name: 'further ahead', created: NOW + 31, is: 'stale' },
]

test.each(ages)('a request that is $name is $is', async ({ created, is }) => {
  expect(await outcome(message(await signed({ created })))).toBe(is)
})

test('what was made before the relay started is refused, for it may have been seen', async () => {
  expect(await outcome(message(await signed({ created: NOW - 2 })), relayAt(NOW, NOW - 1))).toBe('stale')
  expect(await outcome(message(await signed({ created: NOW - 1 })), relayAt(NOW, NOW - 1))).toBe('new')
})

test('the same request is let in once', async () => {
  const headers = await signed()
  const authenticate = relayAt(NOW)
  expect(await outcome(message(headers), authenticate)).toBe('new')
  expect(await outcome(message(headers), authenticate)).toBe('replayed')
})

test('of two that arrive together, one is let in', async () => {
  const headers = await signed()
  const authenticate = relayAt(NOW)
  const both = await Promise.all([
    outcome(message(headers), authenticate),
    outcome(message(headers), authenticate),
  ])
  expect(both.toSorted()).toEqual(['new', 'replayed'])
})

test('a body is the signed one or none', async () => {
  const { 'content-digest': digest } = await signed({ body: '{"name":"s1"}' })
  expect(hasDigest(Buffer.from('{"name":"s1"}'), digest)).toBe(true)
  expect(hasDigest(Buffer.from('{"name":"s2"}'), digest)).toBe(false)
  expect(hasDigest(Buffer.alloc(0), digest)).toBe(false)
  expect(hasDigest(Buffer.alloc(0), (await signed())['content-digest'])).toBe(true)
})

test.each(['c2hvcnQ=', 'no base64!'])('a key like "%s" is refused with how to make one', async (secret) => {
  await expect(createSign({ keyid: 'k', secret })).rejects.toThrow(/"k".*openssl rand -base64 32/)
})

test('a nonce is remembered until its request is too old, and none is forgotten early', () => {
  const nonces = createNonces(2)
  expect(nonces.claim('a', 190, 100)).toBe('new')
  expect(nonces.claim('b', 195, 100)).toBe('new')
  expect(nonces.claim('c', 195, 190)).toBe('full')
  expect(nonces.claim('a', 190, 190)).toBe('used')
  expect(nonces.claim('c', 195, 191)).toBe('new')
  expect(nonces.claim('b', 195, 195)).toBe('used')
})
