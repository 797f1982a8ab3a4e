/**
 * The Worker in this process, by a clock that a scene moves: what takes minutes is seen in seconds. Relay and servers
 * go by the real one, so the scene has to stay within an hour of it.
 */
import { randomBytes } from 'node:crypto'
import { createApp } from '../../functions/app.ts'
import type { Env } from '../../functions/env.ts'
import { ioOf } from '../../functions/io.ts'
import { logRun } from '../../functions/log-run.ts'
import { notifyAll } from '../../functions/notify/notifier.ts'
import { runPinged } from '../../functions/ping/pinger.ts'
import { readingOnce } from '../../functions/state/once.ts'
import { CountingKv } from '../chat/counting-kv.ts'
import type { Served } from './stage.ts'
import type { Key, Surroundings } from './worker.ts'

const MINUTE = 60_000
/** Minutes that its clock is behind the real one at first. */
const BEHIND = 55
const ORIGIN = 'https://stapes.example.org'

export type WorkerHere = Served & {
  /** The next minute. */
  pass(): Promise<void>
  /** Minutes in which no tick comes. */
  skip(minutes: number): void
  now(): Date
  kv: CountingKv
}

export async function workerHere(
  url: string,
  key: Key,
  { secrets = {}, outside = () => null }: Surroundings,
  {
    start = new Date(Date.now() - BEHIND * MINUTE),
    kv = new CountingKv(),
  }: { start?: Date; kv?: CountingKv } = {},
): Promise<WorkerHere> {
  let minute = Math.floor(start.getTime() / MINUTE)
  const now = () => new Date(minute * MINUTE)
  const own = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    return outside(request) ?? own(request)
  }
  const token = randomBytes(16).toString('hex')
  const env = {
    ...{ STATE: kv.binding(), RELAY: { fetch: own }, KV_SETTLED_MS: '0' },
    ...{ RELAY_URL: url, RELAY_KEY_ID: key.id, RELAY_KEY: key.secret.toString('base64') },
    STAPES_TOKEN: token,
    ...secrets,
  } as unknown as Env
  const app = createApp(now)
  /** As the cron trigger does it, but for the invocation's end, which is by the real clock. */
  const tick = async (): Promise<void> => {
    const state = readingOnce(env.STATE)
    try {
      const io = { ...(await ioOf(env, now)), state }
      logRun(await runPinged({ kind: 'cron', at: now() }, io, env), io)
    } finally {
      await notifyAll(env, state, now, true)
    }
  }
  return {
    token,
    async fetch(path, { method = 'GET', body, token: given = token, headers: more = {} } = {}) {
      const headers = given === null ? more : { authorization: `Bearer ${given}`, ...more }
      const streamed = body === undefined ? {} : { body, duplex: 'half' as const }
      return app.fetch(new Request(`${ORIGIN}${path}`, { method, headers, ...streamed }), env)
    },
    pass() {
      minute++
      return tick()
    },
    skip(minutes) {
      minute += minutes
    },
    now,
    kv,
    async close() {
      globalThis.fetch = own
    },
  }
}
