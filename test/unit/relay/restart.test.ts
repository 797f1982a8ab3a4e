/** What the relay performed before a restart is not performed again after it, though it has forgotten the nonces. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createSign, type Sign, type SignedHeaders } from '../../../functions/incus/sign.ts'
import { type Relay, startRelay } from '../../../relay/relay.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { take } from './steps.ts'
import { sendEnvelope, startTlsIncus, type TlsIncus } from './tls-incus.ts'

const SECRET = randomBytes(32)
const PATH = '/v1/batch'
const BODY = JSON.stringify({ jobs: [{ id: 'a', steps: [take('web1')] }] })
const { cert: certificate, key } = await createCertificate('relay')

let incus: TlsIncus
let relay: Relay
let sign: Sign
let log: string[]

beforeAll(async () => {
  incus = await startTlsIncus()
  sign = await createSign({ keyid: 'worker', secret: SECRET.toString('base64') })
})
afterAll(() => incus.close())

beforeEach(async () => {
  incus.seen = []
  log = []
  incus.answer = (_, response) => sendEnvelope(response, 200, { type: 'sync', metadata: [] })
  relay = await start()
})
afterEach(() => relay.close())

const start = (): Promise<Relay> =>
  startRelay({
    listen: { host: '127.0.0.1', port: 0 },
    keys: { worker: SECRET },
    client: { certificate, key },
    remotes: { main: { url: incus.url, fingerprint: incus.fingerprint, address: incus.url } },
    log: (line) => log.push(line),
  })

async function restart(): Promise<void> {
  await relay.close()
  relay = await start()
}

/** `ahead`: of the relay's clock, in seconds. */
const signed = (ahead: number): Promise<SignedHeaders> =>
  sign({ method: 'POST', url: `http://relay${PATH}`, body: BODY }, new Date(Date.now() + ahead * 1000))

/** Zero when the relay broke off. */
const send = (headers: SignedHeaders): Promise<number> =>
  fetch(`${relay.url}${PATH}`, { method: 'POST', body: BODY, headers: { ...headers } }).then(
    async (response) => {
      await response.text()
      return response.status
    },
    () => 0,
  )

test('a captured request of a clock that is ahead is not performed again after a restart', async () => {
  const captured = await signed(4)
  expect(await send(captured)).toBe(200)
  await restart()
  expect(await send(captured)).toBe(401)
  expect(log.join()).toMatch(/refused .* before this relay's start/)
  expect(incus.seen.length).toBe(1)
})

test('nor when the relay is restarted while it waits: it is performed once in all', async () => {
  const captured = await signed(8)
  const first = send(captured)
  await sleep(500)
  await restart()
  expect([503, 0]).toContain(await first)
  expect(incus.seen.length).toBe(0)
  const again = await Promise.all([send(captured), send(captured)])
  expect(again.toSorted()).toEqual([200, 401])
  expect(incus.seen.length).toBe(1)
})

test('a clock that is ahead is served at the second that it says, and the log tells', async () => {
  const before = Math.floor(Date.now() / 1000)
  expect(await send(await signed(4))).toBe(200)
  expect(Math.floor(Date.now() / 1000)).toBeGreaterThanOrEqual(before + 4)
  expect(log).toEqual([expect.stringMatching(/signed \d s ahead of this clock and waits/)])
})

test('right after a restart requests are served at once', async () => {
  await restart()
  expect(await send(await signed(0))).toBe(200)
  expect(log).toEqual([])
})

test('a clock that is behind is refused for as long as it is behind, and no longer', async () => {
  await restart()
  expect(await send(await signed(-3))).toBe(401)
  await sleep(3_000)
  expect(await send(await signed(-3))).toBe(200)
})
