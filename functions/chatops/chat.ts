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

/** Redirects are not followed: an address is used as it was checked. */
export async function send({ method, url, body }: Outgoing): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    })
    if (!response.ok)
      console.error(
        JSON.stringify({ at: 'chat', status: response.status, said: (await response.text()).slice(0, 200) }),
      )
    return response.ok
  } catch (cause) {
    console.error(JSON.stringify({ at: 'chat', error: String(cause) }))
    return false
  }
}
