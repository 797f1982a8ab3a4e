/** A remote with several URLs, over real sockets: who is asked, and what is never sent twice. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createUpstreams, type RemoteConfig, type Upstreams } from '../../../relay/upstreams.ts'
import { request } from '../../../shared/incus/routes.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { newIdentity, sendEnvelope, startTlsIncus, type TlsIncus } from './tls-incus.ts'

const { cert: certificate, key } = await createCertificate('relay')
const identity = await newIdentity()
const one = await startTlsIncus(0, identity)
const two = await startTlsIncus(0, identity)
const stranger = await startTlsIncus()
const NOBODY = 'https://127.0.0.1:1'

const opened: Upstreams[] = []
afterAll(() => Promise.all([...opened, one, two, stranger].map((each) => each.close())))

beforeEach(() => {
  for (const member of [one, two, stranger]) {
    member.seen = []
    member.answer = (_, response) => sendEnvelope(response, 200, { type: 'sync', metadata: {} })
  }
})

const LOOK = request('listProjects')
const TAKE = request('createSnapshot', { instance: 'web' }, {}, { name: 's1' })

function open(urls: string[], fingerprint: RemoteConfig['fingerprint'] = one.fingerprint) {
  const members = urls.map((url, place) => ({ url, address: `https://inside-${place}` }))
  const [first = { url: '', address: '' }, ...spare] = members
  const log: string[] = []
  const main = { ...first, fingerprint, spare }
  const upstreams = createUpstreams({ main }, { certificate, key }, (line) => log.push(line))
  opened.push(upstreams)
  const ask = (what = LOOK, timeout = 3_000) => upstreams.request('main', what, { timeout })
  return { ask, log }
}

const callsAt = ({ seen }: TlsIncus) => seen.map(({ call }) => call.split(' ')[0])
/** The connection is closed after the request has come. */
const hangUp: TlsIncus['answer'] = (message) => message.socket.destroy()

describe('of several urls', () => {
  test('the first that answers is used, and its own address told', async () => {
    const { ask, log } = open([one.url, two.url])
    expect(await ask()).toMatchObject({ ok: true, status: 200, address: 'https://inside-0' })
    expect([callsAt(one), callsAt(two)]).toEqual([['GET'], []])
    expect(log).toEqual([])
  })

  test('the next is asked where nobody listens, also for what does something, for nothing was sent', async () => {
    const { ask, log } = open([NOBODY, two.url])
    expect(await ask(TAKE)).toMatchObject({ ok: true, address: 'https://inside-1' })
    expect(await ask()).toMatchObject({ ok: true })
    expect(callsAt(two)).toEqual(['POST', 'GET'])
    // Once: from then on it is passed over for a while.
    expect(log).toEqual([expect.stringMatching(/^main: https:\/\/127\.0\.0\.1:1 is skipped .*refused/)])
  })

  test('the next is asked where a stranger answers, and who that is is logged', async () => {
    const { ask, log } = open([stranger.url, two.url])
    expect(await ask(TAKE)).toMatchObject({ ok: true })
    expect([callsAt(stranger), callsAt(two)]).toEqual([[], ['POST']])
    expect(log[0]).toContain(`shows certificate ${stranger.fingerprint}`)
  })

  test('each may have a certificate of its own', async () => {
    const { ask } = open([stranger.url, two.url], [one.fingerprint, stranger.fingerprint])
    expect(await ask()).toMatchObject({ ok: true, address: 'https://inside-0' })
  })

  test('the next is asked again for what only reads, when the first breaks off', async () => {
    one.answer = hangUp
    const { ask } = open([one.url, two.url])
    expect(await ask()).toMatchObject({ ok: true, address: 'https://inside-1' })
    expect([callsAt(one), callsAt(two)]).toEqual([['GET'], ['GET']])
  })

  test('what does something is not sent a second time, when the first breaks off: nobody knows whether it is done', async () => {
    one.answer = hangUp
    const { ask } = open([one.url, two.url])
    expect(await ask(TAKE)).toMatchObject({ ok: false, error: { code: 'timeout' } })
    expect([callsAt(one), callsAt(two)]).toEqual([['POST'], []])
    // The next call goes elsewhere.
    expect(await ask(TAKE)).toMatchObject({ ok: true, address: 'https://inside-1' })
  })

  test('one that hangs costs what only reads a third of its time', async () => {
    one.answer = () => {}
    const { ask } = open([one.url, two.url])
    const began = Date.now()
    expect(await ask(LOOK, 9_000)).toMatchObject({ ok: true, address: 'https://inside-1' })
    expect(Date.now() - began).toBeLessThan(8_500)
  })

  test('a held wait is held, and never cut short for the sake of another url', async () => {
    one.answer = (_, response) =>
      void setTimeout(() => sendEnvelope(response, 200, { type: 'sync', metadata: {} }), 1_200)
    const { ask } = open([one.url, two.url])
    const wait = request('waitOperation', { operation: 'op1' }, { timeout: '1' })
    expect(await ask(wait, 3_000)).toMatchObject({ ok: true, address: 'https://inside-0' })
  })

  test('one that is starting or shutting down is passed over for what only reads', async () => {
    one.answer = (_, response) => sendEnvelope(response, 503, { type: 'error', error: 'Shutting down' })
    const { ask } = open([one.url, two.url])
    expect(await ask(TAKE)).toMatchObject({ ok: true, status: 503 })
    expect(await ask()).toMatchObject({ ok: true, status: 200 })
  })

  test('all are named when none answers, and nothing was sent', async () => {
    const { ask } = open([NOBODY, stranger.url])
    const reply = await ask(TAKE)
    expect(reply).toMatchObject({ ok: false, error: { code: 'unreachable' } })
    const message = reply.ok ? '' : reply.error.message
    expect(message).toContain(`"main" at ${NOBODY} can't be reached`)
    expect(message).toContain(`"main" at ${stranger.url} shows certificate`)
    expect(message).toContain('add that to the list remotes.main.fingerprint')
  })
})

test('what a change insists on is sent, and the ETag of an answer is told', async () => {
  const { ask } = open([one.url])
  expect(await ask()).toMatchObject({ ok: true, etag: '"e1"' })
  await ask({ ...request('markInstance', { instance: 'web' }, {}, { config: {} }), ifMatch: '"e1"' })
  expect(one.seen.map(({ headers }) => headers['if-match'])).toEqual([undefined, '"e1"'])
})
