/** What the relay tells a scraper, and whom it doesn't. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSign, type Sign } from '../../../functions/incus/sign.ts'
import { createJobMemory } from '../../../relay/engine/job-memory.ts'
import type { RelayEvent } from '../../../relay/events.ts'
import { createMeter } from '../../../relay/metrics/meter.ts'
import { meteredJobs } from '../../../relay/metrics/metered.ts'
import { type Relay, startRelay } from '../../../relay/relay.ts'
import { expose } from '../../../shared/metrics/exposition.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { onPromtool } from '../../lab/real.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { take } from './steps.ts'
import { sendEnvelope, startTlsIncus, type TlsIncus } from './tls-incus.ts'

const SECRET = randomBytes(32)
const TOKEN = 'a token of the scraper, with spaces'.replaceAll(' ', '-')
const { cert: certificate, key } = await createCertificate('relay')

let incus: TlsIncus
let relay: Relay
let sign: Sign
const events: RelayEvent[] = []

beforeAll(async () => {
  incus = await startTlsIncus()
  incus.answer = (_, response) => sendEnvelope(response, 200, { type: 'sync', metadata: { auth: 'trusted' } })
  sign = await createSign({ keyid: 'worker', secret: SECRET.toString('base64') })
  const { url, fingerprint } = incus
  relay = await startRelay({
    listen: { host: '127.0.0.1', port: 0 },
    keys: { worker: SECRET },
    client: { certificate, key },
    remotes: {
      main: { url, fingerprint, address: url },
      nobody: { url: 'https://127.0.0.1:1', fingerprint, address: url },
    },
    metrics: { token: TOKEN },
    emit: (event) => void events.push(event),
  })
  const target = `${relay.url}/v1/glance`
  const body = JSON.stringify({ remotes: ['main', 'nobody'], again: 60_000 })
  const headers = await sign({ method: 'POST', url: target, body }, new Date())
  await (await fetch(target, { method: 'POST', headers, body })).text()
  await (await fetch(target, { method: 'POST', body })).text()
  const doing = `${relay.url}/v1/batch`
  const step = take('web', { ref: { remote: 'nobody', project: 'default', instance: 'web' } })
  const job = { id: 'a', steps: [step] }
  const jobs = JSON.stringify({ jobs: [job], run: 'run-1' })
  const signed = await sign({ method: 'POST', url: doing, body: jobs }, new Date())
  await (await fetch(doing, { method: 'POST', headers: signed, body: jobs })).text()
})

afterAll(async () => {
  await relay.close()
  await incus.close()
})

const scrape = (authorization: string, accept = '*/*') =>
  fetch(`${relay.url}/metrics`, { headers: { authorization, accept } })

test('a scraper with the token learns how long Incus takes, what failed, what waits and when certificates end', async () => {
  const response = await scrape(`Bearer ${TOKEN}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text/)
  const text = await response.text()
  expect(text).toMatch(
    /^stapes_relay_incus_request_duration_seconds_count\{remote="main",method="GET"\} [1-9]/m,
  )
  expect(text).toMatch(/^stapes_relay_incus_errors_total\{remote="nobody",code="unreachable"\} [1-9]/m)
  expect(text).toContain('stapes_relay_request_duration_seconds_count{call="glance"} 1\n')
  expect(text).toContain('stapes_relay_refused_requests_total{code="unsigned"} 1\n')
  expect(text).toContain('stapes_relay_jobs{state="running"} 0\n')
  expect(text).toMatch(/^stapes_relay_certificate_end_timestamp_seconds\{certificate="client"\} \d+$/m)
  expect(text).toMatch(
    /^stapes_relay_certificate_end_timestamp_seconds\{certificate="server",remote="main"\} \d+$/m,
  )
  expect(text).toMatch(/^process_cpu_seconds_total \d/m)
  expect(text.endsWith('# EOF\n')).toBe(true)
})

test('a batch is an event with the Worker’s run, and how many of its jobs failed', () => {
  expect(events).toEqual([{ event: 'batch', run: 'run-1', jobs: 1, failed: 1, ms: expect.any(Number) }])
})

test('and when the edge was last heard of', async () => {
  const text = await (await scrape(`Bearer ${TOKEN}`)).text()
  const [, at] = /^stapes_relay_edge_heard_timestamp_seconds\{key="worker"\} (\d+)/m.exec(text) ?? []
  expect(Date.now() / 1000 - Number(at)).toBeLessThan(60)
  expect(text).toContain('stapes_relay_edge_silent{key="worker"} 0\n')
})

test.each(['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`])(
  'without the token it is told nothing: %s',
  async (authorization) => {
    const response = await scrape(authorization)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="stapes relay"')
    expect(await response.text()).not.toContain('stapes_relay')
  },
)

test('the token opens nothing but the metrics', async () => {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const body = JSON.stringify({ remotes: ['main'] })
  expect((await fetch(`${relay.url}/v1/inventory`, { method: 'POST', headers, body })).status).toBe(401)
  expect((await fetch(`${relay.url}/metrics`, { method: 'POST', headers, body })).status).toBe(401)
})

test('that it runs is told without a token, and nothing else', async () => {
  const response = await fetch(`${relay.url}/healthz`)
  expect([response.status, await response.json()]).toEqual([200, { ok: true }])
})

test('a copy counts from its turn to its end, with the bytes that Incus named last', async () => {
  const clock = new VirtualClock(0)
  const meter = createMeter()
  const jobs = meteredJobs(createJobMemory(clock), meter, clock)
  const id = 'main/default/web>backup/default/web:j1'
  jobs.begin({ id })
  await clock.advance(500_000)
  jobs.change(id, { state: 'running' })
  jobs.change(id, { progress: 'rootfs: 1.20GB (12.50MB/s)' })
  await clock.advance(600_000)
  jobs.change(id, { state: 'done' })
  jobs.begin({ id: 'restore main/default/web:j2' })
  jobs.change('restore main/default/web:j2', { state: 'failed' })
  const text = expose(meter.families(), 'text')
  expect(text).toContain('stapes_relay_transfer_duration_seconds_sum{target="backup",outcome="done"} 100\n')
  expect(text).toContain(
    'stapes_relay_transfer_duration_seconds_bucket{target="backup",outcome="done",le="60.0"} 0\n',
  )
  expect(text).toContain(
    'stapes_relay_transfer_duration_seconds_bucket{target="backup",outcome="done",le="300.0"} 1\n',
  )
  expect(text).toContain('stapes_relay_transferred_bytes_total{target="backup"} 1200000000\n')
  expect(text).not.toContain('outcome="failed"')
})

onPromtool('the metrics of the relay', () => {
  test('promtool finds nothing wrong with the metrics of the relay', async () => {
    const input = await (await scrape(`Bearer ${TOKEN}`, 'text/plain')).text()
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    })
    expect([status, stdout, stderr]).toEqual([0, '', ''])
  })
})
