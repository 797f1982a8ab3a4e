/** The page over a simulated world: the Worker as a browser reaches it, with the world's KV and relay behind it. */
import { randomBytes } from 'node:crypto'
import { createApp } from '../../functions/app.ts'
import type { Env } from '../../functions/env.ts'
import { fetcherOf } from '../fuzz/worker.ts'
import { settledRelay, type World } from '../simulation/world.ts'

export const TOKEN = randomBytes(18).toString('base64')
export const ORIGIN = 'https://stapes.example.org'

export type Stage = {
  env: Env
  fetch(request: Request): Promise<Response>
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** A form of a page of ours, unless its headers say otherwise. */
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** The cookie of somebody who signs in. */
  signIn(): Promise<string>
  /** What somebody who is signed in sees. */
  read(path: string): Promise<string>
}

export function openStage(world: World, more: Partial<Env> = {}): Stage {
  const [place] = world.places
  const env = {
    ...{ STATE: place?.state, RELAY: { fetch: fetcherOf(settledRelay(world)) } },
    ...{ RELAY_URL: 'http://relay', RELAY_KEY_ID: 'k', RELAY_KEY: randomBytes(32).toString('base64') },
    STAPES_TOKEN: TOKEN,
    ...more,
  } as unknown as Env
  const app = createApp(() => new Date(world.clock.now()))
  const stage: Stage = {
    env,
    fetch: async (request) => app.fetch(request, env),
    get: (path, headers = {}) => stage.fetch(new Request(`${ORIGIN}${path}`, { headers })),
    post(path, fields, headers = { origin: ORIGIN }) {
      const body = new URLSearchParams(fields).toString()
      const form = { 'content-type': 'application/x-www-form-urlencoded', ...headers }
      return stage.fetch(new Request(`${ORIGIN}${path}`, { method: 'POST', headers: form, body }))
    },
    async signIn() {
      const { headers } = await stage.post('/sign-in', { token: TOKEN })
      return (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    },
    read: async (path) => (await stage.get(path, { cookie: await stage.signIn() })).text(),
  }
  return stage
}
