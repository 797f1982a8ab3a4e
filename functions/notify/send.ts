/** Sends a message to a channel. What comes back holds no secret. */
import type { Message } from '../../shared/chat/message.ts'
import type { Channel } from '../../shared/notify/channel.ts'
import type { Letter } from '../../shared/notify/letter.ts'
import type { Sent } from '../../shared/notify/settle.ts'
import { safeText } from '../../shared/safe-text.ts'
import { beginningOf } from '../beginning.ts'
import { parseJson } from '../chatops/form.ts'
import { digestOf } from '../digest.ts'
import type { Vault } from '../vault.ts'
import { type Secrets, secretsOf } from './secrets.ts'
import type { Mail, Outgoing } from './service.ts'
import { services } from './services.ts'

/** What came back of a request; null: nothing did, with the reason. */
type Reply = { status: number; text: string; retryAfter: string | null } | { failed: string }

export type Post = (outgoing: Outgoing) => Promise<Reply>

export type Sender = { vault: Vault; post: Post; now(): Date }

export async function sendLetter(channel: Channel, letter: Letter, sender: Sender): Promise<Sent> {
  const mail = await mailOf(channel, letter, sender)
  if ('failed' in mail) return { ok: false, reason: mail.failed, final: true }
  const service = services[channel.type]
  const reply = await tried(async () => sender.post(await service.request(mail)))
  const sent = sentOf(reply, mail.secrets, (answer) => service.took(answer, mail))
  const ref = sent.ok && 'text' in reply ? (service.ref?.(parseJson(reply.text)) ?? null) : null
  return ref === null ? sent : { ok: true, ref }
}

/** A failure changes nothing: the message that follows says the same. */
export async function editMessage(
  channel: Channel,
  letter: Letter,
  { ref, message }: { ref: string; message: Message },
  sender: Sender,
): Promise<void> {
  const mail = await mailOf(channel, letter, sender)
  if ('failed' in mail) return
  const outgoing = services[channel.type].edit?.(mail, ref, message)
  if (outgoing !== undefined) await tried(() => sender.post(outgoing))
}

async function mailOf(
  channel: Channel,
  letter: Letter,
  { vault, now }: Sender,
): Promise<Mail | { failed: string }> {
  const secrets = secretsOf(channel, vault)
  if (!secrets.ok) return { failed: secrets.error }
  const id = `msg_${await digestOf(`${channel.name} ${letter.id}`)}`
  return { channel, letter, id, now: now(), secrets: secrets.value }
}

async function tried(send: () => Promise<Reply>): Promise<Reply> {
  try {
    return await send()
  } catch (cause) {
    return { failed: String(cause) }
  }
}

/** Characters of what a service says. */
const LONGEST = 120

function sentOf(reply: Reply, secrets: Secrets, took: (answer: string) => boolean): Sent {
  if ('failed' in reply)
    return { ok: false, reason: `no answer: ${cleared(reply.failed, secrets)}`, final: false }
  const { status, text, retryAfter } = reply
  const said = text.trim() === '' ? '' : `: ${cleared(text, secrets)}`
  if (status >= 200 && status < 300)
    return took(text)
      ? { ok: true }
      : { ok: false, reason: `${status}, but not the answer of that service${said}`, final: false }
  const wait = Number(retryAfter)
  return {
    ok: false,
    reason: status >= 300 && status < 400 ? `${status}, it redirects to another address` : `${status}${said}`,
    final: isFinal(status),
    ...(retryAfter !== null && wait > 0 ? { wait } : {}),
  }
}

/** Too many, too slow and the service's own failures pass. */
const isFinal = (status: number): boolean => status < 500 && ![408, 425, 429].includes(status)

/** A receiver may echo what it was sent, whole or in part. */
function cleared(text: string, secrets: Secrets): string {
  const parts = Object.values(secrets).flatMap((value) => [value, ...partsOf(value)])
  const longestFirst = [...new Set(parts)].sort((one, other) => other.length - one.length)
  const clear = longestFirst.reduce((left, part) => left.replaceAll(part, '…'), text)
  return safeText(clear.replace(/https?:\/\/\S+/g, '…'), LONGEST)
}

/** Shorter ones are words as they stand in any text. */
const SHORTEST = 6

/** Of an address its path, its query and what these are made of. */
function partsOf(value: string): string[] {
  const url = URL.parse(value)
  if (url === null) return []
  const { pathname, search } = url
  return [pathname, search, ...`${pathname}${search}`.split(/[/?&=]/)].filter(
    (part) => part.length >= SHORTEST,
  )
}

const TIMEOUT = 10_000

/** Redirects are not followed: only the address in the secret gets the message. */
export const post: Post = async ({ method, url, headers, body }) => {
  const response = await fetch(url, {
    ...{ method, body, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) },
    headers: { 'user-agent': 'stapes', ...headers },
  })
  const text = await beginningOf(response)
  return { status: response.status, text, retryAfter: response.headers.get('retry-after') }
}
