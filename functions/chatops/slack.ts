/**
 * Slack's slash commands and buttons over HTTP, answered through their response URLs, and an incoming webhook
 * for reports.
 */

import type { Message } from '../../shared/chat/message.ts'
import { err, ok } from '../../shared/result.ts'
import { parseForm } from './form.ts'
import type { Answer, Outgoing, Platform, ReplyTo } from './platform.ts'
import { createSlackBot } from './slack/bot.ts'
import { decode } from './slack/decode.ts'
import { encode } from './slack/encode.ts'
import { readSigned } from './slack/verify.ts'

type SlackOptions = {
  /** From the app's page "Basic Information". */
  signingSecret: string
  /** An incoming webhook of the channel for reports. */
  channelUrl: string | null
  /** Of a bot with the scope chat:write. */
  botToken?: string | null
}

/** Throws for options that are not of their form. */
export function createSlack(options: SlackOptions): Platform {
  const { signingSecret, channelUrl, botToken = null } = options
  checkOptions(options)
  return {
    name: 'slack',
    bot: botToken === null ? null : createSlackBot(botToken),
    async receive(request, now) {
      const form = parseForm(request.body)
      // Slack checks the certificate so, and signs that request with nothing.
      if (form?.ssl_check === '1') return ok({ kind: 'ping' })
      const signed = await readSigned(request, now, signingSecret)
      if (!signed.ok) return err({ status: 401, reason: signed.error })
      return form === null ? err({ status: 400, reason: 'a broken form' }) : decode(form, signed.value)
    },
    pong: () => EMPTY,
    say(message, { kind, reply }) {
      if (kind === 'press') return { answer: EMPTY, outgoing: requestOf(message, reply) }
      const body = { response_type: RESPONSE_TYPES[message.to], ...encode(message) }
      return { answer: { status: 200, body }, outgoing: null }
    },
    // This only makes the command itself visible in the channel.
    later: (to, { kind }) =>
      kind === 'command' && to === 'channel' ? { status: 200, body: { response_type: 'in_channel' } } : EMPTY,
    choose: () => EMPTY,
    put(message, reply, now) {
      if (now.toISOString() >= reply.until || (reply.uses ?? 1) < 1 || reply.address === '') return null
      const uses = reply.uses === null ? null : reply.uses - 1
      return { outgoing: requestOf(message, reply), left: { ...reply, uses, placed: true } }
    },
    post: (message) =>
      channelUrl === null ? null : { method: 'POST', url: channelUrl, body: encode(message) },
  }
}

const EMPTY: Answer = { status: 200, body: null }
const RESPONSE_TYPES: Record<Message['to'], string> = { caller: 'ephemeral', channel: 'in_channel' }

/** Only the response URL of a button has a message to replace; that of a command always places another. */
function requestOf(message: Message, { address, placed }: ReplyTo): Outgoing {
  const replaces =
    placed && message.to === 'channel' && address.startsWith('https://hooks.slack.com/actions/')
  const how = replaces
    ? { replace_original: true }
    : { response_type: RESPONSE_TYPES[message.to], replace_original: false }
  return { method: 'POST', url: address, body: { ...how, ...encode(message) } }
}

function checkOptions({ signingSecret, channelUrl, botToken = null }: SlackOptions): void {
  if (botToken !== null && !/^xoxb-[\w-]{8,}$/.test(botToken))
    throw new Error('SLACK_BOT_TOKEN must be the app’s "Bot User OAuth Token", xoxb-…, or be left out')
  if (!/^[\x21-\x7e]{16,}$/.test(signingSecret))
    throw new Error('SLACK_SIGNING_SECRET must be the signing secret on the app’s page "Basic Information"')
  if (channelUrl !== null && !/^https:\/\/hooks\.slack\.com\/services\/[\w/-]+$/.test(channelUrl))
    throw new Error(
      'SLACK_CHANNEL_URL must be the URL of an incoming webhook, https://hooks.slack.com/services/…, or be left out',
    )
}
