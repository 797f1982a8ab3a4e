/** Bindings and secrets of the Worker, checked once per isolate. */
import { createRelay, type Relay } from './incus/relay.ts'
import { createSign } from './incus/sign.ts'
import type { Io } from './run.ts'

export type Env = {
  STATE: KVNamespace
  /** Where the relay listens, e.g. https://relay.example.org; any name works with the RELAY binding. */
  RELAY_URL: string
  RELAY_KEY_ID: string
  /** Base64 of at least 32 random bytes; the relay knows it under the same id. */
  RELAY_KEY: string
  /** Bearer token of the HTTP API. */
  STAPES_TOKEN: string
  /** Workers VPC service, where the relay has no public name. */
  RELAY?: Fetcher
  SLACK_SIGNING_SECRET?: string
  /** Incoming webhook for what comes later than a command's own address lives; so the other two. */
  SLACK_CHANNEL_URL?: string
  /** Of the application, hex. */
  DISCORD_PUBLIC_KEY?: string
  DISCORD_APPLICATION_ID?: string
  DISCORD_CHANNEL_URL?: string
  /** One per slash command and team, separated by commas or spaces. */
  MATTERMOST_TOKENS?: string
  /** Origin of the server, e.g. https://mattermost.example.org. */
  MATTERMOST_URL?: string
  MATTERMOST_CHANNEL_URL?: string
}

/** What Hono knows of a request's surroundings. */
export type App = { Bindings: Env; Variables: { io: Io } }

const REQUIRED = ['RELAY_URL', 'RELAY_KEY_ID', 'RELAY_KEY', 'STAPES_TOKEN'] as const

export function missingOf(env: Env): string[] {
  const missing: string[] = REQUIRED.filter((key) => (env[key] ?? '') === '')
  return env.STATE === undefined ? [...missing, 'STATE'] : missing
}

let relay: { of: string; made: Promise<Relay> } | null = null

/** The imported key is kept between requests of one isolate. */
export function relayOf(env: Env): Promise<Relay> {
  const of = `${env.RELAY_URL} ${env.RELAY_KEY_ID} ${env.RELAY_KEY}`
  if (relay?.of !== of) relay = { of, made: makeRelay(env) }
  return relay.made
}

async function makeRelay(env: Env): Promise<Relay> {
  const sign = await createSign({ keyid: env.RELAY_KEY_ID, secret: env.RELAY_KEY })
  const binding = env.RELAY
  const send: typeof fetch =
    binding === undefined ? (input, init) => fetch(input, init) : (input, init) => binding.fetch(input, init)
  return createRelay({ url: env.RELAY_URL, sign, send, now: () => new Date() })
}
