/** A batch may bring the record of who requests it: the relay logs it before it begins. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createSign, type Sign } from '../../../functions/incus/sign.ts'
import { type Relay, startRelay } from '../../../relay/relay.ts'
import { LONGEST_RECORD } from '../../../shared/relay/protocol.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { take } from './steps.ts'
import { sendEnvelope, startTlsIncus, type TlsIncus } from './tls-incus.ts'

const SECRET = randomBytes(32)
const { cert: certificate, key } = await createCertificate('relay')

let incus: TlsIncus
let relay: Relay
let sign: Sign
/** What was logged, and what Incus was asked, in that order. */
let seen: string[]

beforeAll(async () => {
  incus = await startTlsIncus()
  sign = await createSign({ keyid: 'worker', secret: SECRET.toString('base64') })
  relay = await startRelay({
    listen: { host: '127.0.0.1', port: 0 },
    keys: { worker: SECRET },
    client: { certificate, key },
    remotes: { main: { url: incus.url, fingerprint: incus.fingerprint, address: incus.url } },
    log: (line) => seen.push(line),
  })
})

beforeEach(() => {
  seen = []
  incus.answer = (_, response) => {
    seen.push('Incus')
    sendEnvelope(response, 200, { type: 'sync', metadata: [] })
  }
})

afterAll(async () => {
  await relay.close()
  await incus.close()
})

async function send(record: unknown): Promise<{ status: number; text: string }> {
  const steps = [take('web1')]
  const body = JSON.stringify({ jobs: [{ id: 'look', steps }], record })
  const url = `${relay.url}/v1/batch`
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { ...(await sign({ method: 'POST', url, body }, new Date())) },
  })
  return { status: response.status, text: await response.text() }
}

test('the record is in the log before anything of the batch is sent to Incus', async () => {
  const { status } = await send('{"who":"slack:T1/U1","what":"restore web1"}')
  expect(status).toBe(200)
  expect(seen).toEqual(['record: {"who":"slack:T1/U1","what":"restore web1"}', 'Incus'])
})

test('a record can’t write a second line, or to the terminal of whoever reads the log', async () => {
  await send('a\nrecord: b\u001b[2J\u009b\u202e')
  expect(seen[0]).toBe(String.raw`record: a\u000arecord: b\u001b[2J\u009b\u202e`)
})

test.each([
  ['too long', 'x'.repeat(LONGEST_RECORD + 1)],
  ['empty', ''],
  ['no text', { who: 'ann' }],
])('a batch with a record that is %s is refused, and nothing is sent to Incus', async (_, record) => {
  const { status, text } = await send(record)
  expect([status, seen]).toEqual([400, []])
  expect(text).toContain('record')
})
