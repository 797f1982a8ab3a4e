import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSign, type Sign } from '../../../functions/incus/sign.ts'
import { MAX_BODY } from '../../../relay/body.ts'
import { type Relay, startRelay } from '../../../relay/relay.ts'
import { createUpstreams } from '../../../relay/upstreams.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { SLOT, take } from './steps.ts'
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

const batch = (...steps: object[]) => ask('POST', '/v1/batch', JSON.stringify({ jobs: [{ id: 'a', steps }] }))

/** What the only step of a batch came to. */
async function errorOf(response: Response): Promise<unknown> {
  const [line = '{}'] = (await response.text()).split('\n')
  const { steps } = JSON.parse(line) as { steps?: { error?: unknown }[] }
  return steps?.[0]?.error
}

const on = (remote: string) => ({ remote, project: 'default', instance: 'web1' })

/** Status and code of a refusal. */
async function refusalOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = (await response.json()) as { status: number; code: string }
  expect(problem.status).toBe(response.status)
  return `${problem.status} ${problem.code}`
}

describe('a step', () => {
  test('reaches Incus with the client certificate', async () => {
    expect(await errorOf(await batch(take('web1')))).toBeUndefined()
    expect(incus.seen).toMatchObject([
      {
        call: 'POST /1.0/instances/web1/snapshots?project=default',
        client: fingerprintOf(certificate),
        body: JSON.stringify({ name: SLOT, stateful: false, expires_at: '0001-01-01T00:00:00Z' }),
      },
    ])
  })

  test('brings nothing of the signature, and no header of the caller, to Incus', async () => {
    const body = JSON.stringify({ jobs: [{ id: 'a', steps: [take('web1')] }] })
    await (await ask('POST', '/v1/batch', body, { 'x-secret': 's', cookie: 'c' })).text()
    expect(Object.keys(incus.seen[0]?.headers ?? {}).toSorted()).toEqual([
      'connection',
      'content-length',
      'content-type',
      'host',
    ])
  })

  test('is sent to the next url of a remote where one is dead', async () => {
    expect(await errorOf(await batch(take('web1', { ref: on('cluster') })))).toBeUndefined()
    expect(incus.seen).toHaveLength(1)
  })

  test('uses a connection that is there', async () => {
    const before = incus.connections
    for (let at = 0; at < 5; at += 1) await (await batch(take('web1'))).text()
    expect(incus.connections - before).toBeLessThanOrEqual(1)
  })
})

describe('refusals', () => {
  const rows: { name: string; call: () => Promise<Response>; is: string; reaches?: number }[] = [
    { name: 'an unsigned call', call: () => fetch(`${relay.url}/v1/batch`), is: '401 unsigned' },
    { name: 'an unsigned call of nothing', call: () => fetch(`${relay.url}/nothing`), is: '401 unsigned' },
    { name: 'a signed call of nothing', call: () => ask('GET', '/nothing'), is: '404 unknown-call' },
    {
      name: 'a request to Incus as it is',
      call: () => ask('GET', '/v1/remotes/main/1.0/instances'),
      is: '404 unknown-call',
    },
    {
      name: 'a deletion of an instance as it is',
      call: () => ask('DELETE', '/v1/remotes/main/1.0/instances/web'),
      is: '404 unknown-call',
    },
    {
      name: 'a step that is a request to Incus',
      call: () => batch({ remote: 'main', method: 'DELETE', path: '/1.0/instances/web1' }),
      is: '400 bad-request',
    },
    {
      name: 'a step with more than it may have',
      call: () => batch({ ...take('web1'), body: { 'raw.lxc': 'x' } }),
      is: '400 bad-request',
    },
    {
      name: 'an instance with a way out of the table',
      call: () => batch(take('web1', { ref: { ...on('main'), instance: '../certificates' } })),
      is: '400 bad-request',
    },
    {
      name: 'a body that is no JSON',
      call: () => ask('POST', '/v1/batch', '{'),
      is: '400 bad-request',
    },
    {
      name: 'a batch of nonsense',
      call: () => ask('POST', '/v1/batch', '{"jobs":[{}]}'),
      is: '400 bad-request',
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
    const url = `${relay.url}/v1/inventory`
    const body = '{"remotes":[]}'
    const headers = await sign({ method: 'POST', url, body }, new Date())
    const send = () => fetch(url, { method: 'POST', headers, body })
    expect((await send()).status).toBe(200)
    expect(await refusalOf(await send())).toBe('401 replayed')
  })

  test('a stranger can write no line into the log', async () => {
    await fetch(`${relay.url}/x`, {
      headers: { signature: 'a', 'signature-input': '%0a', 'content-digest': 'b' },
    })
    expect(log.length).toBeGreaterThan(0)
    expect(log.every((line) => !/[\r\n]/.test(line))).toBe(true)
  })

  test.each([
    ['impostor', 'certificate'],
    ['nobody', 'unreachable'],
  ])('nothing is sent to %s', async (remote, code) => {
    expect(await errorOf(await batch(take('web1', { ref: on(remote) })))).toMatchObject({ code })
    expect(incus.seen).toEqual([])
  })

  test('the word of a server that does not trust us is told with what to do', async () => {
    incus.answer = (_, response) => sendEnvelope(response, 403, { type: 'error', error: 'not authorized' })
    expect(await errorOf(await batch(take('web1')))).toMatchObject({
      code: 'untrusted',
      message: expect.stringContaining('incus config trust'),
    })
  })

  test('a connection that breaks after the request was sent leaves the effect unknown', async () => {
    incus.answer = (message) => message.socket.destroy()
    expect(await errorOf(await batch(take('web1')))).toMatchObject({ code: 'timeout' })
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
    const read = (instance: string) => ({ id: instance, steps: [take(instance)] })
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
    const jobs = [{ id: 'a', steps: ['one', 'two', 'three', 'four'].map((instance) => take(instance)) }]
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
