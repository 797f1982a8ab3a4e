/** What the handling of a chat request works with, and how its messages get out. */
import type { Message } from '../../shared/chat/message.ts'
import type { Io } from '../run.ts'
import type { Confirmations } from './confirmations.ts'
import type { Outgoing, Platform, ReplyTo } from './platform.ts'

export type Chat = {
  platform: Platform
  confirmations: Confirmations
  kv: KVNamespace
  io: Io
  now(): Date
  /** Where this Worker is reached. */
  origin: string
  /** False when it didn't get there. */
  send(outgoing: Outgoing): Promise<boolean>
  /** Goes on after the answer was given; the platform allows half a minute. */
  after(work: Promise<void>): void
}

/**
 * Puts a message where its command was given, as long as that address lives; after that, in the configured
 * channel. Gives what is left of the address.
 */
export async function tell(
  message: Message,
  reply: ReplyTo,
  { platform, now, origin, send }: Pick<Chat, 'platform' | 'now' | 'origin' | 'send'>,
): Promise<ReplyTo> {
  const put = platform.put(message, reply, now(), origin)
  if (put !== null && (await send(put.outgoing))) return put.left
  const posted = message.to === 'channel' ? platform.post(message) : null
  if (posted === null || !(await send(posted)))
    console.error(JSON.stringify({ at: 'chat', platform: platform.name, lost: message.headline }))
  return { ...reply, uses: 0 }
}

const PATIENCE = 10_000
/** An edit may overtake the acknowledgement that it edits; then Discord doesn't know the message yet. */
const OVERTAKEN = 1_000

/** Redirects are not followed: an address is used as it was checked. */
export async function send(outgoing: Outgoing): Promise<boolean> {
  const status = await attempt(outgoing)
  if (status !== 404 || outgoing.method !== 'PATCH') return isGood(status)
  await new Promise((resolve) => setTimeout(resolve, OVERTAKEN))
  return isGood(await attempt(outgoing))
}

const isGood = (status: number | null): boolean => status !== null && status >= 200 && status < 300

/** Null: no answer. The address is a secret, and isn't logged. */
async function attempt({ method, url, body }: Outgoing): Promise<number | null> {
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    })
    const said = (await response.text()).slice(0, 200)
    if (!response.ok) console.error(JSON.stringify({ at: 'chat', status: response.status, said }))
    return response.status
  } catch (cause) {
    console.error(JSON.stringify({ at: 'chat', error: String(cause) }))
    return null
  }
}
