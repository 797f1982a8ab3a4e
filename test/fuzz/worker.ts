/** The Worker before a place: its env, its secrets for those who may know them, and each request by itself. */
import { randomBytes } from 'node:crypto'
import { createApp } from '../../functions/app.ts'
import type { Env } from '../../functions/env.ts'
import type { Relay } from '../../functions/incus/relay.ts'
import type { RelayFiles } from '../../functions/incus/relay-files.ts'
import { serializeReply } from '../../shared/relay/packing.ts'
import { CountingKv } from '../chat/counting-kv.ts'
import { createDiscordApp } from '../chat/discord-request.ts'
import type { Place } from './place.ts'

export const SECRETS = {
  api: randomBytes(24).toString('base64'),
  slack: randomBytes(16).toString('hex'),
  discord: createDiscordApp(),
  mattermost: 'tokentokentokentokentoken1',
}

export const MATTERMOST = 'https://mattermost.example.org'

export type Worker = {
  kv: CountingKv
  now(): Date
  /** Its answer, after everything that it began has ended; null where no client could send it so. */
  send(path: string, init: RequestInit): Promise<Response | null>
}

export function openWorker({
  world,
  relay,
  files,
}: Pick<Place, 'world' | 'relay'> & Partial<Pick<Place, 'files'>>): Worker {
  const kv = new CountingKv()
  const env = {
    ...{ STATE: kv.binding(), RELAY: { fetch: fetcherOf(relay, files) } },
    ...{ RELAY_URL: 'http://relay', RELAY_KEY_ID: 'k', RELAY_KEY: randomBytes(32).toString('base64') },
    ...{ STAPES_TOKEN: SECRETS.api, SLACK_SIGNING_SECRET: SECRETS.slack },
    DISCORD_PUBLIC_KEY: SECRETS.discord.publicKey,
    DISCORD_APPLICATION_ID: SECRETS.discord.applicationId,
    ...{ MATTERMOST_TOKENS: SECRETS.mattermost, MATTERMOST_URL: MATTERMOST },
  } as unknown as Env
  const now = () => new Date(world.clock.now())
  const app = createApp(now)
  return {
    ...{ kv, now },
    async send(path, init) {
      let request: Request
      try {
        request = new Request(`https://stapes.example.org${path}`, init)
      } catch {
        return null
      }
      const work: Promise<unknown>[] = []
      const context = { waitUntil: (one: Promise<unknown>) => work.push(one), passThroughOnException() {} }
      const response = await app.fetch(request, env, context as unknown as ExecutionContext)
      await Promise.all(work)
      return response
    },
  }
}

export const fetcherOf =
  (relay: Relay, files?: RelayFiles) =>
  async (input: RequestInfo, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    if (!request.headers.has('signature')) return new Response('{}', { status: 401 })
    const asked = JSON.parse(await request.text())
    const { pathname } = new URL(request.url)
    if (pathname === '/v1/glance') {
      const reply = await relay.glance(asked)
      return reply.ok ? Response.json(reply.value) : new Response('', { status: 503 })
    }
    if (pathname === '/v1/inventory') {
      const reply = await relay.inventory(asked)
      return reply.ok ? new Response(serializeReply(reply.value)) : new Response('', { status: 503 })
    }
    if (pathname === '/v1/files' && files !== undefined) {
      const reply = await files.list(asked)
      return reply.ok ? Response.json(reply.value) : new Response('', { status: 503 })
    }
    if (pathname === '/v1/examine' && relay.examine !== undefined) {
      const reply = await relay.examine(asked)
      return reply.ok ? Response.json(reply.value) : new Response('', { status: 503 })
    }
    if (pathname !== '/v1/batch') return new Response('{}', { status: 404 })
    const { answers } = await relay.batch(asked.jobs)
    const lines = [...answers].map(([job, answer]) =>
      JSON.stringify(answer === 'accepted' ? { job, accepted: true } : { job, steps: answer }),
    )
    return new Response([...lines, JSON.stringify({ done: answers.size })].join('\n'))
  }
