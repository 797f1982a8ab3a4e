/**
 * Mattermost's slash commands, answered through their response URLs, buttons, and an incoming webhook for
 * reports. Its requests aren't signed: a command has the token of its slash command, and a press only the
 * button's context. So `receive` can't prove who pressed: whoever knows the context, which Mattermost shows
 * to no client, could send it in another's name until its token expires. The token in the context is checked
 * later, and is bound to its channel.
 */
import { timingSafeEqual } from 'hono/utils/buffer'
import type { Message } from '../../shared/chat/message.ts'
import { err } from '../../shared/result.ts'
import { parseForm } from './form.ts'
import { createMattermostBot } from './mattermost/bot.ts'
import { decodeCommand, decodePress } from './mattermost/decode.ts'
import { type Encoded, encode, encodeText } from './mattermost/encode.ts'
import type { Answer, Platform } from './platform.ts'

type MattermostOptions = {
  /** One a slash command. */
  tokens: readonly string[]
  /** The server's own URL, its "Site URL"; only the origin counts. */
  origin: string
  /** An incoming webhook of the channel for reports. */
  channelUrl: string | null
  /** Of a bot account that is a member of the channels. */
  botToken?: string | null
}

/** Throws for options that are not of their form. */
export function createMattermost(options: MattermostOptions): Platform {
  const origin = originOf(options)
  const { tokens, channelUrl, botToken = null } = options
  return {
    name: 'mattermost',
    bot: botToken === null ? null : createMattermostBot(origin, botToken),
    async receive({ headers, body }, now) {
      if (body.trimStart().startsWith('{')) return decodePress(body, now)
      const form = parseForm(body)
      // With an outgoing OAuth connection, the header has another meaning.
      const token = /^Token (\S+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? form?.token ?? ''
      if (!(await isAny(token, tokens))) return err({ status: 401, reason: 'not one of MATTERMOST_TOKENS' })
      return form === null ? err({ status: 400, reason: 'a broken form' }) : decodeCommand(form, origin, now)
    },
    pong: () => EMPTY,
    say(message, { kind, reply }, worker) {
      const body =
        kind === 'command' ? response(message, worker) : pressed(message, reply.placed ? worker : null)
      return { answer: { status: 200, body }, outgoing: null }
    },
    later: (to, { kind }) => ({
      status: 200,
      body: kind === 'press' ? {} : { response_type: 'ephemeral', text: ACKNOWLEDGED[to] },
    }),
    choose: () => EMPTY,
    put(message, reply, now, worker) {
      if (now.toISOString() >= reply.until || (reply.uses ?? 1) < 1 || reply.address === '') return null
      const uses = reply.uses === null ? null : reply.uses - 1
      const outgoing = { method: 'POST' as const, url: reply.address, body: response(message, worker) }
      return { outgoing, left: { ...reply, uses, placed: true } }
    },
    post: (message) =>
      channelUrl === null ? null : { method: 'POST', url: channelUrl, body: bodyOf(encode(message, null)) },
  }
}

const EMPTY: Answer = { status: 200, body: {} }
const ACKNOWLEDGED: Record<Message['to'], string> = { caller: 'Looking…', channel: 'Working on it…' }

/** Disables the parsing of Slack's links. */
const response = (message: Message, worker: string) => ({
  response_type: message.to === 'caller' ? 'ephemeral' : 'in_channel',
  skip_slack_parsing: true,
  ...bodyOf(encode(message, worker)),
})

/** An update without attachments takes the buttons away. `worker`: null where nothing can be updated. */
function pressed(message: Message, worker: string | null) {
  if (message.to === 'caller' || worker === null)
    return { ephemeral_text: encodeText(message), skip_slack_parsing: true }
  const { text, attachments } = encode(message, worker)
  return { update: { message: text, props: { attachments } } }
}

const bodyOf = ({ text, attachments }: Encoded) =>
  attachments.length === 0 ? { text } : { text, attachments }

/** In constant time: all tokens are compared. */
async function isAny(token: string, tokens: readonly string[]): Promise<boolean> {
  const same = await Promise.all(tokens.map((one) => timingSafeEqual(token, one)))
  return same.includes(true)
}

function originOf({ tokens, origin, channelUrl }: MattermostOptions): string {
  if (tokens.length === 0 || !tokens.every((token) => /^[\x21-\x7e]{16,}$/.test(token)))
    throw new Error('MATTERMOST_TOKENS must be the tokens of the slash commands, separated by commas')
  if (!URL.canParse(origin) || !origin.startsWith('https://'))
    throw new Error(
      'MATTERMOST_URL must be the Site URL of the server, such as https://mattermost.example.org',
    )
  const own = new URL(origin).origin
  if (channelUrl !== null && !(channelUrl.startsWith(`${own}/`) && /\/hooks\/\w+$/.test(channelUrl)))
    throw new Error(
      `MATTERMOST_CHANNEL_URL must be the URL of an incoming webhook, ${own}/hooks/…, or be left out`,
    )
  return own
}
