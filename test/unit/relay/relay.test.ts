import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSign, type Sign } from '../../../functions/incus/sign.ts'
import { MAX_BODY } from '../../../relay/body.ts'
import { type Relay, startRelay } from '../../../relay/relay.ts'
import { createUpstreams } from '../../../relay/upstreams.ts'
import { request } from '../../../shared/incus/routes.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { fingerprintOf, sendEnvelope, startTlsIncus, type TlsIncus } from './tls-incus.ts'

const SECRET = randomBytes(32)
const { cert: certificate, key } = await createCertificate('relay')
const client = { certificate, key }

let incus: TlsIncus
let relay: Relay
let sign: Sign
let log: string[]

beforeAll(async () => {
  incus = await startTlsIncus()
  sign = await createSign({ keyid: 'worker', secret: SECRET.toString('base64') })
  const { url, fingerprint } = incus
  relay = await startRelay({
    listen: { host: '127.0.0.1', port: 0 },
    keys: { worker: SECRET },
    client,
    remotes: {
      main: { url, fingerprint, address: url },
      impostor: { url, fingerprint: 'ab'.repeat(32), address: url },
      nobody: { url: 'https://127.0.0.1:1', fingerprint, address: url },
      cluster: { url: 'https://127.0.0.1:1', fingerprint, address: url, spare: [{ url, address: url }] },
    },
    log: (line) => log.push(line),
  })
})

beforeEach(() => {
  incus.seen = []
  log = []
  incus.answer = (_, response) => sendEnvelope(response, 200, { type: 'sync', metadata: { auth: 'trusted' } })
})

afterAll(async () => {
  await relay.close()
  await incus.close()
})

async function ask(method: string, path: string, body?: string, headers: object = {}): Promise<Response> {
  const url = `${relay.url}${path}`
  const signed = await sign(body === undefined ? { method, url } : { method, url, body }, new Date())
  return fetch(url, { method, headers: { ...signed, ...headers }, ...(body === undefined ? {} : { body }) })
}

const get = (path: string) => ask('GET', `/v1/remotes/main${path}`)

/** Status and code of a refusal. */
async function refusalOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = (await response.json()) as { status: number; code: string }
  expect(problem.status).toBe(response.status)
  return `${problem.status} ${problem.code}`
}

describe('forwarding', () => {
  test('an allowed call reaches Incus with the client certificate, and its answer comes back whole', async () => {
    const response = await get('/1.0/instances?recursion=1&all-projects=true')
    expect(await response.json()).toEqual({ type: 'sync', metadata: { auth: 'trusted' } })
    expect(response.headers.get('etag')).toBe('"e1"')
    expect(incus.seen).toMatchObject([
      { call: 'GET /1.0/instances?recursion=1&all-projects=true', client: fingerprintOf(certificate) },
    ])
  })

  test('nothing of the signature, and no header of the caller, goes on to Incus', async () => {
    await ask('GET', '/v1/remotes/main/1.0', undefined, { 'x-secret': 's', cookie: 'c' })
    expect(Object.keys(incus.seen[0]?.headers ?? {}).toSorted()).toEqual(['connection', 'host'])
  })

  test('a body arrives as it was checked', async () => {
    await ask('POST', '/v1/remotes/main/1.0/instances/web/snapshots', '{ "name": "a", "name": "b" }')
    expect(incus.seen[0]?.body).toBe('{"name":"b"}')
  })

  test('a large answer comes through in full, piece by piece', async () => {
    const big = JSON.stringify({ type: 'sync', metadata: 'x'.repeat(5_000_000) })
    incus.answer = (_, response) => response.end(big)
    expect(await (await get('/1.0/instances')).text()).toBe(big)
  })

  test('the headers of a wait come at once, its body when Incus has it', async () => {
    let end = () => {}
    incus.answer = (_, response) => {
      response.writeHead(200).flushHeaders()
      end = () => response.end('{"type":"sync"}')
    }
    const response = await get('/1.0/operations/op1/wait?timeout=10')
    expect(response.status).toBe(200)
    end()
    expect(await response.text()).toBe('{"type":"sync"}')
  })

  test("Incus's own errors are left as they are", async () => {
    incus.answer = (_, response) =>
      sendEnvelope(response, 404, { type: 'error', error: 'Instance not found' })
    const response = await get('/1.0/instances/web')
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({ type: 'error', error: 'Instance not found' })
  })

  test('where one url of a remote is dead, the next is asked', async () => {
    const response = await ask('POST', '/v1/remotes/cluster/1.0/instances/web/snapshots', '{"name":"b"}')
    expect(response.status).toBe(200)
    expect(incus.seen.map(({ body }) => body)).toEqual(['{"name":"b"}'])
  })

  test('connections are kept', async () => {
    const before = incus.connections
    for (let at = 0; at < 5; at += 1) await (await get('/1.0')).text()
    expect(incus.connections - before).toBeLessThanOrEqual(1)
  })

  test('a caller that leaves calls off what only reads', async () => {
    const gone = new Promise<void>((resolve) => {
      incus.answer = (_, response) => response.on('close', resolve)
    })
    const url = `${relay.url}/v1/remotes/main/1.0`
    const leave = new AbortController()
    const call = fetch(url, { headers: await sign({ method: 'GET', url }, new Date()), signal: leave.signal })
    while (incus.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    leave.abort()
    await expect(call).rejects.toThrow()
    await gone
  })
})

describe('refusals', () => {
  const rows: { name: string; call: () => Promise<Response>; is: string; reaches?: number }[] = [
    { name: 'an unsigned call', call: () => fetch(`${relay.url}/v1/remotes/main/1.0`), is: '401 unsigned' },
    { name: 'an unsigned call of nothing', call: () => fetch(`${relay.url}/nothing`), is: '401 unsigned' },
    { name: 'a signed call of nothing', call: () => ask('GET', '/nothing'), is: '404 unknown-call' },
    { name: 'an unknown remote', call: () => ask('GET', '/v1/remotes/moon/1.0'), is: '404 unknown-remote' },
    { name: 'a call outside the table', call: () => get('/1.0/certificates'), is: '403 not-allowed' },
    {
      name: 'a body that does too much',
      call: () => ask('POST', '/v1/remotes/main/1.0/instances', '{"source":{"type":"image"}}'),
      is: '403 not-allowed',
    },
    {
      name: 'a deletion of an instance outside a batch',
      call: () => ask('DELETE', '/v1/remotes/main/1.0/instances/web'),
      is: '403 not-allowed',
    },
    {
      name: 'a deletion of somebody’s snapshot outside a batch',
      call: () => ask('DELETE', '/v1/remotes/main/1.0/instances/web/snapshots/before-upgrade'),
      is: '403 not-allowed',
    },
    {
      name: 'a restore outside a batch',
      call: () => ask('PUT', '/v1/remotes/main/1.0/instances/web', '{"restore":"a","stateful":false}'),
      is: '403 not-allowed',
    },
    {
      name: 'a body that is no JSON',
      call: () => ask('POST', '/v1/remotes/main/1.0/instances', '{'),
      is: '400 bad-request',
    },
    {
      name: 'a batch of nonsense',
      call: () => ask('POST', '/v1/batch', '{"jobs":[{}]}'),
      is: '400 bad-request',
    },
    {
      name: 'a server with another certificate',
      call: () => ask('GET', '/v1/remotes/impostor/1.0'),
      is: '502 certificate',
    },
    {
      name: 'a server that is not there',
      call: () => ask('GET', '/v1/remotes/nobody/1.0'),
      is: '502 unreachable',
    },
    {
      name: 'a body beyond the limit',
      call: () => ask('POST', '/v1/batch', 'x'.repeat(MAX_BODY + 1)),
      is: '413 too-long',
    },
  ]

  test.each(rows)('$name is refused with $is, and Incus hears nothing', async ({ call, is }) => {
    expect(await refusalOf(await call())).toBe(is)
    expect(incus.seen).toEqual([])
  })

  test('another body than the signed one is refused, and only the log says why', async () => {
    const url = `${relay.url}/v1/batch`
    const headers = await sign({ method: 'POST', url, body: '{"jobs":[]}' }, new Date())
    const response = await fetch(url, { method: 'POST', headers, body: '{"jobs":[1]}' })
    expect(await refusalOf(response)).toBe('401 bad-signature')
    expect(log.join()).toContain('the body isn\'t the one that key "worker" signed')
  })

  test('the same request a second time is refused', async () => {
    const url = `${relay.url}/v1/remotes/main/1.0`
    const headers = await sign({ method: 'GET', url }, new Date())
    expect((await fetch(url, { headers })).status).toBe(200)
    expect(await refusalOf(await fetch(url, { headers }))).toBe('401 replayed')
  })

  test('a stranger can write no line into the log', async () => {
    await fetch(`${relay.url}/x`, {
      headers: { signature: 'a', 'signature-input': '%0a', 'content-digest': 'b' },
    })
    expect(log.length).toBeGreaterThan(0)
    expect(log.every((line) => !/[\r\n]/.test(line))).toBe(true)
  })

  test('the word of a server that does not trust us is told with what to do', async () => {
    incus.answer = (_, response) => sendEnvelope(response, 403, { type: 'error', error: 'not authorized' })
    const response = await get('/1.0/instances')
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({
      code: 'untrusted',
      detail: expect.stringContaining('incus config trust'),
    })
  })

  test("a restricted certificate's refusal is Incus's own, whole though it comes in pieces", async () => {
    const refusal = JSON.stringify({ type: 'error', error: `no permission for ${'x'.repeat(50_000)}` })
    incus.answer = (_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' })
      response.write(refusal.slice(0, 20_000))
      setTimeout(() => response.end(refusal.slice(20_000)), 20)
    }
    const response = await get('/1.0/instances')
    expect(response.status).toBe(403)
    expect(await response.text()).toBe(refusal)
  })

  test('the word for strangers under another status is not about us', async () => {
    incus.answer = (_, response) => sendEnvelope(response, 400, { type: 'error', error: 'not authorized' })
    expect((await get('/1.0/instances')).status).toBe(400)
  })

  test('so is a stranger told apart in pieces', async () => {
    const refusal = JSON.stringify({ type: 'error', error: 'not authorized' })
    incus.answer = (_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' })
      response.write(refusal.slice(0, 25))
      setTimeout(() => response.end(refusal.slice(25)), 20)
    }
    expect(await refusalOf(await get('/1.0/instances'))).toBe('502 untrusted')
  })

  test('a connection that breaks after the request was sent leaves the effect unknown', async () => {
    incus.answer = (message) => message.socket.destroy()
    const body = '{"name":"s1"}'
    const response = await ask('POST', '/v1/remotes/main/1.0/instances/web/snapshots', body)
    expect(await refusalOf(response)).toBe('504 timeout')
    expect(incus.seen).toHaveLength(1)
  })

  test('anybody may ask whether it lives, and hears no more than that', async () => {
    expect(await (await fetch(`${relay.url}/v1/health`)).json()).toEqual({ ok: true })
  })
})

describe('batch and inventory', () => {
  test('lines come as jobs end', async () => {
    incus.answer = (message, response) => {
      const delay = message.url?.includes('slow') ? 150 : 0
      setTimeout(() => sendEnvelope(response, 200, { type: 'sync', metadata: {} }), delay)
    }
    const read = (instance: string) => ({
      id: instance,
      steps: [{ remote: 'main', ...request('getInstance', { instance }) }],
    })
    const response = await ask('POST', '/v1/batch', JSON.stringify({ jobs: [read('slow'), read('quick')] }))
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    expect(
      (await response.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([{ job: 'quick', steps: [{ ok: true }] }, { job: 'slow', steps: [{ ok: true }] }, { done: 2 }])
  })

  test('a client that leaves stops no job', async () => {
    incus.answer = (_, response) => void setTimeout(() => sendEnvelope(response, 200, { type: 'sync' }), 20)
    const step = (instance: string) => ({ remote: 'main', ...request('getInstance', { instance }) })
    const jobs = [{ id: 'a', steps: ['one', 'two', 'three', 'four'].map(step) }]
    const url = `${relay.url}/v1/batch`
    const body = JSON.stringify({ jobs })
    const leave = new AbortController()
    const headers = await sign({ method: 'POST', url, body }, new Date())
    await fetch(url, { method: 'POST', headers, body, signal: leave.signal })
    leave.abort()
    await expect.poll(() => incus.seen.length, { timeout: 5000 }).toBe(4)
  })

  test('an inventory tells of each remote by itself', async () => {
    const response = await ask('POST', '/v1/inventory', '{"remotes":["impostor","nobody"]}')
    expect(await response.json()).toMatchObject({
      jobs: [],
      remotes: {
        impostor: { ok: false, error: { code: 'certificate' } },
        nobody: { ok: false, error: { code: 'unreachable' } },
      },
    })
  })
})

describe('what an error says about the request', () => {
  const upstreams = () => {
    const { url, fingerprint } = incus
    return createUpstreams({ main: { url, fingerprint, address: url } }, client)
  }

  test('no answer in time: the effect is unknown', async () => {
    incus.answer = () => {}
    const all = upstreams()
    const reply = await all.request('main', { method: 'POST', path: '/1.0/instances' }, { timeout: 1_500 })
    expect(reply).toMatchObject({ ok: false, error: { code: 'timeout' } })
    expect(incus.seen).toHaveLength(1)
    await all.close()
  })

  test('an answer comes with the time that the server showed', async () => {
    incus.answer = (_, response) => {
      response.setHeader('date', 'Sun, 22 Nov 2026 03:00:00 GMT')
      sendEnvelope(response, 200, { type: 'sync', metadata: {} })
    }
    const all = upstreams()
    const call = () => all.request('main', { method: 'GET', path: '/1.0' }, { timeout: 5000 })
    expect(await call()).toMatchObject({ ok: true, date: Date.parse('2026-11-22T03:00:00Z') })
    incus.answer = (_, response) => {
      response.sendDate = false
      sendEnvelope(response, 200, { type: 'sync', metadata: {} })
    }
    expect(await call()).not.toHaveProperty('date')
    await all.close()
  })

  test('given up before a connection was free: nothing was sent, and nothing is sent later', async () => {
    incus.answer = () => {}
    const all = upstreams()
    const call = (timeout: number) =>
      all.request('main', { method: 'POST', path: '/1.0/instances' }, { timeout })
    const holding = Array.from({ length: 64 }, () => call(4000))
    await expect.poll(() => incus.seen.length, { timeout: 3500 }).toBe(64)
    expect(await call(100)).toMatchObject({ ok: false, error: { code: 'unreachable' } })
    await Promise.all(holding)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(incus.seen).toHaveLength(64)
    await all.close()
  })
})

test('a relay answers what is signed in the very moment it is there', async () => {
  const options = { listen: { host: '127.0.0.1', port: 0 }, keys: { worker: SECRET }, client, remotes: {} }
  const fresh = await startRelay(options)
  const url = `${fresh.url}/v1/inventory`
  const body = '{"remotes":[]}'
  const headers = await sign({ method: 'POST', url, body }, new Date())
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200)
  await fresh.close()
})
