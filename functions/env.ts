/** Bindings and secrets of the Worker, checked once per isolate. */
import { digestOf } from './digest.ts'
import { whyUnsafe } from './incus/address.ts'
import type { PostOptions } from './incus/post.ts'
import { createRelay, type Relay } from './incus/relay.ts'
import { createRelayFiles, type RelayFiles } from './incus/relay-files.ts'
import { createSign, type Sign } from './incus/sign.ts'
import type { Io } from './run.ts'

export type Env = {
  STATE: KVNamespace
  /** Where the relay listens, e.g. https://relay.example.org; any name, and http://, works with the RELAY binding. */
  RELAY_URL: string
  RELAY_KEY_ID: string
  /** Base64 of at least 32 random bytes; the relay knows it under the same id. */
  RELAY_KEY: string
  /** Bearer token of the HTTP API, and of whoever signs in to the page. */
  STAPES_TOKEN: string
  /** Cloudflare Access in front of the page: the team, as acme.cloudflareaccess.com, and the application's audience. */
  ACCESS_TEAM?: string
  ACCESS_AUD?: string
  /** A service token of Cloudflare Access, where that stands before the relay; both or neither. */
  RELAY_ACCESS_ID?: string
  RELAY_ACCESS_SECRET?: string
  /** Workers VPC service, where the relay has no public name. */
  RELAY?: Fetcher
  SLACK_SIGNING_SECRET?: string
  /** Incoming webhook for messages after a command's own address has expired; so the other two. */
  SLACK_CHANNEL_URL?: string
  /** Of a bot, which can edit its messages at any time; so Mattermost's. */
  SLACK_BOT_TOKEN?: string
  /** Of the application, hex. */
  DISCORD_PUBLIC_KEY?: string
  DISCORD_APPLICATION_ID?: string
  DISCORD_CHANNEL_URL?: string
  /** One per slash command and team, separated by commas or spaces. */
  MATTERMOST_TOKENS?: string
  /** Origin of the server, e.g. https://mattermost.example.org. */
  MATTERMOST_URL?: string
  MATTERMOST_CHANNEL_URL?: string
  MATTERMOST_BOT_TOKEN?: string
  /** Milliseconds until what is written to KV is read everywhere; `npm start` sets it, where nobody else reads. */
  KV_SETTLED_MS?: string
  // Beside these, NOTIFY_…: the secrets of notifications, by the names that the configuration gives.
}

/** The types of Hono's context. */
export type App = { Bindings: Env; Variables: { io: Io } }

const REQUIRED = ['RELAY_URL', 'RELAY_KEY_ID', 'RELAY_KEY', 'STAPES_TOKEN'] as const

export function missingOf(env: Env): string[] {
  const missing: string[] = REQUIRED.filter((key) => (env[key] ?? '') === '')
  return env.STATE === undefined ? [...missing, 'STATE'] : missing
}

/** Why nothing is sent to the relay, or null. */
export const relayProblemOf = (env: Env): string | null => {
  const { RELAY_URL: url, RELAY: binding, RELAY_ACCESS_ID: id = '', RELAY_ACCESS_SECRET: secret = '' } = env
  return (
    whyUnsafe(url, binding !== undefined) ??
    ((id === '') === (secret === '')
      ? null
      : `calls of the relay don't pass Cloudflare Access: ${id === '' ? 'RELAY_ACCESS_ID' : 'RELAY_ACCESS_SECRET'} is missing, and the other is set`)
  )
}

let known: { of: string; made: Promise<Sign>; keyDigest: Promise<string> } | null = null

function keyed({ RELAY_KEY_ID: keyid, RELAY_KEY: secret }: Env): NonNullable<typeof known> {
  const of = `${keyid} ${secret}`
  if (known?.of !== of) known = { of, made: createSign({ keyid, secret }), keyDigest: digestOf(of) }
  return known
}

/** Workers with the same key to the relay have the same digest; it doesn't reveal the key. */
export const keyDigestOf = (env: Env): Promise<string> => keyed(env).keyDigest

/** `deadline`: calls time out then. */
export async function relayOf(env: Env, deadline: Date | null, run: string): Promise<Relay> {
  return createRelay({ ...(await linkOf(env, deadline)), run })
}

export const relayFilesOf = async (env: Env, deadline: Date | null): Promise<RelayFiles> =>
  createRelayFiles(await linkOf(env, deadline))

/** The imported key is kept between requests of one isolate. */
async function linkOf(env: Env, deadline: Date | null): Promise<PostOptions> {
  const sign = await keyed(env).made
  const binding = env.RELAY
  const send: typeof fetch =
    binding === undefined ? (input, init) => fetch(input, init) : (input, init) => binding.fetch(input, init)
  const isPrivate = binding !== undefined
  const { RELAY_ACCESS_ID: id = '', RELAY_ACCESS_SECRET: secret = '' } = env
  const access = id === '' || secret === '' ? {} : { access: { id, secret } }
  return { url: env.RELAY_URL, isPrivate, ...access, sign, send, now: () => new Date(), deadline }
}
