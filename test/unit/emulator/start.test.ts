import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Embedded, startEmbedded } from '../../emulator/start.ts'

describe('the Incus of npm start', () => {
  let embedded: Embedded
  let http1: Agent
  let http2: Agent
  beforeAll(async () => {
    embedded = await startEmbedded()
    const { cert, key } = embedded.client
    const connect = { ca: [embedded.main.certificate, embedded.backup.certificate], cert, key }
    http1 = new Agent({ allowH2: false, connect })
    http2 = new Agent({ allowH2: true, connect })
  })
  afterAll(async () => {
    await Promise.all([http1.destroy(), http2.destroy()])
    await embedded.close()
  })

  const get = async (path: string, dispatcher: Agent = http1) => {
    const reply = await request(`${embedded.main.url}${path}`, { dispatcher })
    return { status: reply.statusCode, body: (await reply.body.json()) as { metadata: unknown } }
  }

  test.for(['http1', 'http2'] as const)('trusts its client over %s', async (version) => {
    const { body } = await get('/1.0', version === 'http1' ? http1 : http2)
    expect(body.metadata).toMatchObject({
      auth: 'trusted',
      environment: { certificate_fingerprint: embedded.main.fingerprint },
    })
  })

  test('has instances to back up, one of them stopped, and a snapshot of a stranger', async () => {
    const { body } = await get('/1.0/instances?recursion=2')
    expect(body.metadata).toMatchObject([
      { name: 'db1', status: 'Running', config: { 'user.tier': 'gold' }, snapshots: null },
      { name: 'old1', status: 'Stopped', snapshots: null },
      { name: 'web1', status: 'Running', snapshots: [{ name: 'before-upgrade' }] },
    ])
  })

  test('sends the headers of a wait at once, and its body at the end', async () => {
    const { cert, key } = embedded.client
    const offered = await request(`${embedded.main.url}/1.0/instances/old1`, {
      ...{ dispatcher: http1, method: 'POST', body: '{"migration":true}' },
    })
    const { metadata } = (await offered.body.json()) as { metadata: { id: string } }
    const impatient = new Agent({
      allowH2: false,
      connect: { ca: embedded.main.certificate, cert, key },
      headersTimeout: 500,
    })
    const url = `${embedded.main.url}/1.0/operations/${metadata.id}`
    const waiting = await request(`${url}/wait`, { dispatcher: impatient })
    expect(waiting.statusCode).toBe(200)
    await request(url, { dispatcher: http1, method: 'DELETE' })
    expect(await waiting.body.json()).toMatchObject({ metadata: { status: 'Cancelled' } })
    await impatient.destroy()
  })

  test.for(['http1', 'http2'] as const)(
    'can reset a connection of %s, and serves the next',
    async (version) => {
      const dispatcher = version === 'http1' ? http1 : http2
      const { incus } = embedded.main
      incus.faults = () => ({ before: 'reset' })
      await expect(get('/1.0', dispatcher)).rejects.toThrow()
      incus.faults = () => null
      await sleep(50)
      expect((await get('/1.0', dispatcher)).status).toBe(200)
    },
  )
})
