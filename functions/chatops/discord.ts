/**
 * Discord's interactions over HTTP, and a webhook for reports. No bot token is needed: an
 * interaction's own token posts and edits its messages for a quarter of an hour.
 */
import { err } from '../../shared/result.ts'
import { decode } from './discord/decode.ts'
import { encode, HIDDEN } from './discord/encode.ts'
import { createVerify, readSigned } from './discord/verify.ts'
import type { Answer, Platform } from './platform.ts'

const API = 'https://discord.com/api/v10'
const CHANNEL_URL =
  /^https:\/\/discord\.com\/api\/(v\d+\/)?webhooks\/\d{1,20}\/[\w-]+(\?thread_id=\d{1,20})?$/
const LONGEST_CHOICE = 100
const CHOICES = 25

type DiscordOptions = {
  /** 64 hex digits, from the application's page. */
  publicKey: string
  applicationId: string
  /** A webhook of the channel for reports. */
  channelUrl: string | null
}

/** Throws for options that are not of their form. */
export function createDiscord(options: DiscordOptions): Platform {
  const { publicKey, applicationId, channelUrl } = options
  checkOptions(options)
  const verify = createVerify(publicKey)
  return {
    name: 'discord',
    bot: null,
    async receive(request, now) {
      const at = await readSigned(request, now, verify)
      return at.ok ? decode(request.body, at.value, applicationId) : err({ status: 401, reason: at.error })
    },
    pong: () => answer({ type: 1 }),
    say(message, { kind }) {
      const hidden = message.to === 'caller' ? { flags: HIDDEN } : {}
      const inPlace = kind === 'press' && message.to === 'channel'
      const data = inPlace ? encode(message) : { ...encode(message), ...hidden }
      return { answer: answer({ type: inPlace ? 7 : 4, data }), outgoing: null }
    },
    later(to, { kind }) {
      if (kind === 'press') return answer({ type: 6 })
      return answer(to === 'caller' ? { type: 5, data: { flags: HIDDEN } } : { type: 5 })
    },
    choose: (choices) => answer({ type: 8, data: { choices: choices.filter(isChoice).slice(0, CHOICES) } }),
    put(message, reply, now) {
      if (now.toISOString() >= reply.until || (reply.uses ?? 1) < 1) return null
      const url = `${API}/webhooks/${applicationId}/${reply.address}/messages/@original`
      return { outgoing: { method: 'PATCH', url, body: encode(message) }, left: { ...reply, placed: true } }
    },
    post(message) {
      if (channelUrl === null) return null
      // A channel's own webhook can't carry buttons that come back to an application.
      const { components: _, ...body } = encode(message)
      return { method: 'POST', url: waitedFor(channelUrl), body }
    },
  }
}

function checkOptions({ publicKey, applicationId, channelUrl }: DiscordOptions): void {
  // With the placeholder key 00…00 anybody could sign.
  if (!/^[0-9a-f]{64}$/i.test(publicKey) || /^(..)\1*$/.test(publicKey))
    throw new Error(
      'DISCORD_PUBLIC_KEY must be the 64 hex digits of the public key on the application’s page',
    )
  if (!/^\d{1,20}$/.test(applicationId))
    throw new Error(
      'DISCORD_APPLICATION_ID must be the digits of the application id on the application’s page',
    )
  if (channelUrl !== null && !CHANNEL_URL.test(channelUrl))
    throw new Error(
      'DISCORD_CHANNEL_URL must be the URL of a channel’s webhook, https://discord.com/api/webhooks/…, or be left out',
    )
}

const answer = (body: unknown): Answer => ({ status: 200, body })

/** Values that are too long are left out, because a cut one would name something else. */
const isChoice = ({ name, value }: { name: string; value: string }): boolean =>
  [name, value].every((text) => text !== '' && text.length <= LONGEST_CHOICE)

/** Discord then answers after the message was saved, and says so when it was not. */
const waitedFor = (url: string): string => `${url}${url.includes('?') ? '&' : '?'}wait=true`
