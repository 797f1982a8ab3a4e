/** The context of a chat request, and how its messages are sent. */
import type { Message } from '../../shared/chat/message.ts'
import type { Io } from '../run.ts'
import type { Confirmations } from './confirmations.ts'
import { parseJson } from './form.ts'
import type { Outgoing, Platform, ReplyTo } from './platform.ts'

export type Chat = {
  platform: Platform
  confirmations: Confirmations
  kv: KVNamespace
  io: Io
  now(): Date
  /** This Worker's origin. */
  origin: string
  /** Null when it failed, else the answer. */
  send(outgoing: Outgoing): Promise<Sent | null>
  /** Goes on after the response; the platform allows half a minute. */
  after(work: Promise<void>): void
}

export type Sent = { answer: unknown }

type Sender = Pick<Chat, 'platform' | 'now' | 'origin' | 'send'>

/**
 * Posts a message where its command was given, as long as that address is valid; after that, to the configured
 * channel. Returns the address as it is afterwards.
 */
export async function deliver(message: Message, reply: ReplyTo, sender: Sender): Promise<ReplyTo> {
  const left = await place(message, reply, sender)
  if (left !== null) return left
  const { platform, send } = sender
  const posted = message.to === 'channel' ? platform.post(message) : null
  if (posted === null || (await send(posted)) === null)
    console.error(JSON.stringify({ at: 'chat', platform: platform.name, lost: message.headline }))
  return { ...reply, uses: 0 }
}

/** By the bot if it may post there, else at the address; null: neither is possible. */
export async function place(message: Message, reply: ReplyTo, sender: Sender): Promise<ReplyTo | null> {
  const { platform, now, origin, send } = sender
  const own = message.to === 'channel' ? await placeByBot(message, reply, sender) : null
  if (own !== null) return { ...reply, own, placed: true }
  const put = platform.put(message, reply, now(), origin)
  if (put === null || (await send(put.outgoing)) === null) return null
  // If the bot may not post there, it isn't tried again.
  return message.to === 'channel' ? { ...put.left, channel: '', own: null } : put.left
}

async function placeByBot(
  message: Message,
  { channel, own }: ReplyTo,
  { platform: { bot }, origin, send }: Sender,
): Promise<string | null> {
  if (bot === null || channel === '') return null
  const sent = await send(bot.write(message, channel, own, origin))
  return sent === null ? null : bot.read(sent.answer)
}

const TIMEOUT = 10_000
/** Milliseconds. An edit may arrive before the acknowledgement that it edits; then it is tried again. */
const OVERTAKEN = 1_000

/** Redirects are not followed: only the checked address is used. */
export async function send(outgoing: Outgoing): Promise<Sent | null> {
  const response = await attempt(outgoing)
  if (response?.status !== 404 || outgoing.method !== 'PATCH') return read(response)
  await new Promise((resolve) => setTimeout(resolve, OVERTAKEN))
  return read(await attempt(outgoing))
}

/** Neither the address nor the token is logged: both are secrets. */
async function attempt({ method, url, body, token }: Outgoing): Promise<Response | null> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  try {
    return await fetch(url, {
      method,
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    })
  } catch (cause) {
    console.error(JSON.stringify({ at: 'chat', error: String(cause) }))
    return null
  }
}

async function read(response: Response | null): Promise<Sent | null> {
  if (response === null) return null
  const said = await response.text().catch(() => '')
  if (response.ok) return { answer: parseJson(said) }
  console.error(JSON.stringify({ at: 'chat', status: response.status, said: said.slice(0, 200) }))
  return null
}
