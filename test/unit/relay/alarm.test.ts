/** The relay's own alarm: how it is configured, and what its channels send. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createChannel, createPulse } from '../../../relay/alarm/channels.ts'
import { readMemory, writtenOf } from '../../../relay/alarm/memory.ts'
import { type Channel, createWatch } from '../../../relay/alarm/watch.ts'
import { parseConfig } from '../../../relay/config.ts'
import type { JournalStore } from '../../../relay/engine/journal.ts'
import type { Said } from '../../../shared/silence/text.ts'
import { createCertificate } from '../../lab/certificate.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const client = await createCertificate('relay')
const parse = (more: object) => {
  const parsed = parseConfig(
    {
      keys: { worker: Buffer.alloc(32, 7).toString('base64') },
      client: { certificate: client.cert, key: client.key },
      remotes: { main: { url: 'https://10.0.0.1:8443', fingerprint: 'ab'.repeat(32) } },
      ...more,
    },
    '/',
  )
  return parsed.ok ? parsed.value : parsed.error
}

describe('relay.jsonc', () => {
  const ops = { type: 'slack', url: 'https://hooks.example.org/T0/x' }

  test('has no alarm and no metrics unless it says so', () => {
    expect(parse({})).not.toHaveProperty('alarm')
    expect(parse({})).not.toHaveProperty('metrics')
  })

  test('names channels, and how late the edge may be', () => {
    expect(parse({ alarm: { channels: { ops } } })).toMatchObject({
      alarm: { after: 240_000, channels: { ops } },
    })
    expect(parse({ alarm: { after: '10m', ping: 'https://hc-ping.com/x' } })).toMatchObject({
      alarm: { after: 600_000, channels: {}, ping: 'https://hc-ping.com/x' },
    })
  })

  test.each<[string, object, string]>([
    ['an alarm that nobody gets', { alarm: {} }, 'alarm: expected at least one channel'],
    [
      'a channel of no known type',
      { alarm: { channels: { ops: { ...ops, type: 'fax' } } } },
      'alarm.channels.ops.type: expected "slack"',
    ],
    [
      'an address that is none',
      { alarm: { channels: { ops: { ...ops, url: 'hooks' } } } },
      'alarm.channels.ops.url: expected https://',
    ],
    [
      'an address of another kind',
      { alarm: { ping: 'file:///etc/passwd' } },
      'alarm.ping: expected https://',
    ],
    [
      'a token that would begin another header',
      { alarm: { channels: { ops: { ...ops, token: 'a\r\nb: c' } } } },
      'alarm.channels.ops.token: expected a token',
    ],
    ['a time that is none', { alarm: { after: 'soon', channels: { ops } } }, 'alarm.after:'],
    [
      'a token for metrics that can be guessed',
      { metrics: { token: 'short' } },
      'metrics.token: expected at least 24 characters',
    ],
  ])('%s is refused', (_, more, message) => {
    expect(parse(more)).toContain(message)
  })
})

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string }
let seen: Seen[]
let status: number
let answer: string
let base: string
const server = createServer((message, response) => {
  let body = ''
  message.on('data', (chunk) => {
    body += String(chunk)
  })
  message.on('end', () => {
    seen.push({ method: message.method ?? '', url: message.url ?? '', headers: message.headers, body })
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(answer)
  })
})
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  ;[seen, status, answer] = [[], 200, 'ok']
})
afterAll(() => void server.close())

const said = { title: 'stapes: the edge has been silent for 6 min', text: 'main: <!channel> & more' }

describe('a channel', () => {
  test('of Slack’s kind gets text without a mention or a link in it', async () => {
    expect(await createChannel('ops', { type: 'slack', url: `${base}/hook` }).send(said)).toBeNull()
    expect(seen).toMatchObject([
      { method: 'POST', url: '/hook', headers: { 'content-type': 'application/json' } },
    ])
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      text: 'stapes: the edge has been silent for 6 min\nmain: &lt;!channel&gt; &amp; more',
    })
  })

  test('of ntfy gets a title, a priority and its token', async () => {
    answer = '{"id":"sPs71M8A2T","event":"message"}\n'
    const channel = createChannel('phone', { type: 'ntfy', url: `${base}/topic`, token: 'tk_1' })
    expect(await channel.send(said)).toBeNull()
    expect(seen).toMatchObject([
      {
        url: '/topic',
        body: said.text,
        headers: { title: said.title, priority: 'high', authorization: 'Bearer tk_1' },
      },
    ])
  })

  test('of any other kind gets title and text', async () => {
    await createChannel('any', { type: 'webhook', url: `${base}/x` }).send(said)
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ source: 'stapes relay', ...said })
  })

  test.each([302, 404, 500])(
    'that answers %i did not take it, and no redirect is followed',
    async (answered) => {
      status = answered
      const channel = createChannel('ops', { type: 'slack', url: `${base}/secret-path` })
      expect(await channel.send(said)).toBe(`it answered ${answered}`)
      expect(seen).toHaveLength(1)
    },
  )

  test.each(['slack', 'ntfy'] as const)(
    'of %s did not take it when a page of somebody else answers',
    async (type) => {
      answer = '<!doctype html><title>Sign in</title>'
      expect(await createChannel('ops', { type, url: base }).send(said)).toBe(
        'it answered 200, but not as that service does',
      )
    },
  )

  test('that can’t be reached is told without its address, which is a secret', async () => {
    const wrong = await createChannel('ops', { type: 'slack', url: 'http://127.0.0.1:1/secret-path' }).send(
      said,
    )
    expect(wrong).toBe('no answer (ECONNREFUSED)')
  })
})

test.each([
  ['/uuid', '/uuid/fail'],
  ['/uuid/', '/uuid/fail'],
  ['/key/slug?create=1', '/key/slug/fail?create=1'],
])('a dead man’s switch hears success at %s, and failure with the reason at %s', async (path, failing) => {
  const pulse = createPulse(`${base}${path}`)
  expect([await pulse(null), await pulse(said)]).toEqual([null, null])
  expect(seen.map(({ url, body }) => [url, body])).toEqual([
    [path, ''],
    [failing, `${said.title}\n${said.text}`],
  ])
})

test('a dead man’s switch that has no such check did not take the ping, though it answers 200', async () => {
  answer = 'OK (not found)'
  expect(await createPulse(base)(null)).toContain('it answered 200')
})

test.each([
  null,
  1,
  [],
  { heard: 1 },
  { heard: { worker: { at: 'x' } }, told: { ops: { worker: { heard: 1 } } } },
  { heard: { worker: { at: -1, again: 1 } } },
])('what can’t be read of its file is left out: %j', (written) => {
  expect(writtenOf(readMemory(written))).toEqual({ heard: {}, told: expect.anything() })
})

const taking = (name: string, take: (said: Said) => void): Channel => ({
  name,
  async send(said) {
    take(said)
    return null
  },
})

test('a clock that was ahead doesn’t hide a silence, and a key that is gone is not missed', async () => {
  const clock = new VirtualClock(Date.parse('2026-11-22T05:00:00Z'))
  const day = 86_400_000
  const told: string[] = []
  const heard = {
    worker: { at: clock.now() + day, again: 60_000 },
    old: { at: clock.now() - day, again: 60_000 },
  }
  const watch = createWatch({
    ...{ clock, keys: ['worker'], grace: 240_000, log: () => {} },
    store: { read: () => ({ heard }), changed: () => {} },
    channels: [taking('ops', ({ text }) => void told.push(text))],
    look: async () => ({ remotes: {}, jobs: [] }),
  })
  await clock.advance(clock.now() + 10 * 60_000)
  watch.stop()
  expect(told).toEqual([expect.stringContaining('key "worker"')])
})

test('one channel that fails keeps no other from being told, and is tried again ever more seldom', async () => {
  const clock = new VirtualClock(Date.parse('2026-11-22T05:00:00Z'))
  const took = { good: 0, bad: 0 }
  const refused = (): string => {
    took.bad += 1
    return 'it answered 500'
  }
  const log: string[] = []
  const watch = createWatch({
    ...{ clock, keys: ['worker'], grace: 240_000, log: (line: string) => void log.push(line) },
    channels: [
      { name: 'bad', send: async () => refused() },
      taking('good', () => {
        took.good += 1
      }),
    ],
    look: async () => Promise.reject(new Error('no answer')),
  })
  watch.heard('worker', 60_000)
  await clock.advance(clock.now() + 60 * 60_000)
  watch.stop()
  expect(took.good).toBe(1)
  expect(took.bad).toBeGreaterThan(4)
  expect(took.bad).toBeLessThan(12)
  expect(log[0]).toBe('alarm: "bad" did not take the message that the edge is silent: it answered 500')
})

describe('a relay that starts over and over', () => {
  const MINUTE = 60_000
  const START = Date.parse('2026-11-27T12:00:00Z')

  /** What its dead man's switch hears in an hour of lives of four minutes, with what it had written before. */
  async function pulsesOf(written: unknown, heardInEach: readonly string[]): Promise<string[]> {
    const clock = new VirtualClock(START)
    const pulses: string[] = []
    let disk = written
    const store: JournalStore = {
      read: () => disk,
      changed(state) {
        disk = state()
      },
    }
    for (let life = 0; life < 15; life++) {
      const watch = createWatch({
        ...{ clock, keys: ['worker', 'other'], channels: [], grace: 4 * MINUTE, log: () => {} },
        store,
        pulse: async (said) => {
          pulses.push(said === null ? 'success' : 'fail')
          return null
        },
        look: async () => ({ remotes: {}, jobs: [] }),
      })
      for (const key of heardInEach) watch.heard(key, MINUTE)
      await clock.advance(clock.now() + 4 * MINUTE)
      watch.stop()
    }
    return pulses
  }

  const longAgo = { at: START - 72 * 60 * MINUTE, again: MINUTE }

  test.each([
    ['never heard a tick', null, []],
    ['has been in a silence for days', { heard: { worker: longAgo } }, []],
    ['hears one of two Workers', { heard: { worker: longAgo } }, ['other']],
    ['once had a clock that was ahead', { heard: { worker: { ...longAgo, at: START * 2 } } }, []],
  ])('and %s never tells its dead man’s switch that the edge is heard', async (_, written, heard) => {
    expect(await pulsesOf(written, heard)).not.toContain('success')
  })

  test('tells it once in each life that hears the edge', async () => {
    expect(await pulsesOf(null, ['worker'])).toEqual(Array.from({ length: 15 }, () => 'success'))
  })
})
