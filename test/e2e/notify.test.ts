/** The Worker in workerd tells people: the relay stopped and started again, seen by a receiver of signed webhooks. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbedded } from '../emulator/contract-pair.ts'
import { openStage, type Stage } from './stage.ts'

const KEY = 'a key to sign with, long enough'
const HOOK = 'https://hooks.example.org/ops'
const START = Date.now()

type Post = { kind: string; title: string; text: string }

const posts: Post[] = []
let stage: Stage

beforeAll(async () => {
  stage = await openStage(async () => ({ ...(await openEmbedded()), restore: async () => null }), {
    secrets: {
      NOTIFY_OPS: HOOK,
      NOTIFY_KEY: KEY,
      NOTIFY_DEAD: 'https://nobody.example.org/',
      KV_SETTLED_MS: '0',
    },
    outside: (request) => (request.url === HOOK ? take(request) : null),
  })
})
afterAll(() => stage?.close())

async function take(request: Request): Promise<Response> {
  const body = await request.text()
  const [id, time] = [request.headers.get('webhook-id'), request.headers.get('webhook-timestamp')]
  const signature = createHmac('sha256', KEY).update(`${id}.${time}.${body}`).digest('base64')
  if (request.headers.get('webhook-signature') !== `v1,${signature}`) return new Response('', { status: 401 })
  posts.push(JSON.parse(body) as Post)
  return new Response('taken')
}

const tick = (minute: number) => stage.worker.tick(new Date(START + minute * 60_000))

const of = (kind: string): string[] => posts.filter((one) => one.kind === kind).map(({ title }) => title)

test('a relay that is stopped is told once, with what is still safe, and the status says the same', async () => {
  const url = { secret: 'NOTIFY_OPS' }
  await stage.apply({
    policies: { hourly: { remotes: ['main'], schedule: '@hourly', copy: { remote: 'backup' } } },
    notify: { ops: { type: 'webhook', url, key: { secret: 'NOTIFY_KEY' } } },
  })
  await tick(0)
  await stage.relay.stop()
  for (const minute of [1, 2, 3]) await tick(minute)
  expect(of('alarm')).toContain('the relay gives no usable answer')
  expect(of('alarm').filter((title) => title.includes('relay'))).toHaveLength(1)
  expect((await stage.worker.fetch('/api/health')).status).toBe(503)
  const kept = await stage.worker.readKv()
  expect(kept.notices).toContain('NOTIFY_OPS')
  expect(JSON.stringify(kept)).not.toMatch(/hooks\.example\.org|a key to sign/)
})

test('a test goes to each channel, and what came back is shown', async () => {
  const channel = { type: 'webhook', url: { secret: 'NOTIFY_OPS' }, key: { secret: 'NOTIFY_KEY' } }
  await stage.relay.start()
  await stage.apply({
    policies: { hourly: { remotes: ['main'], schedule: '@hourly' } },
    notify: {
      ops: channel,
      dead: { type: 'slack', url: { secret: 'NOTIFY_DEAD' } },
      unset: { type: 'slack', url: { secret: 'NOTIFY_UNSET' } },
    },
  })
  const answer = await stage.worker.fetch('/api/notify/test', { method: 'POST' })
  expect(await answer.json()).toEqual({
    channels: [
      { name: 'ops', type: 'webhook', ok: true },
      { name: 'dead', type: 'slack', ok: false, reason: expect.any(String) },
      { name: 'unset', type: 'slack', ok: false, reason: expect.stringContaining('NOTIFY_UNSET is not set') },
    ],
  })
  expect(of('test')).toHaveLength(1)
})
