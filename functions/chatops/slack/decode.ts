/** Slack's requests, after their signature was verified: slash commands, and buttons below a message. */
import * as z from 'zod/mini'
import type { Actor } from '../../../shared/chat/actor.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { minutesFrom } from '../../../shared/schedule/moment.ts'
import { parseJson } from '../form.ts'
import { headOf } from '../lines.ts'
import type { Incoming, Rejected, ReplyTo } from '../platform.ts'
import type { Signed } from './verify.ts'

/** For how long, and for how many uses, a response URL is valid. */
const MINUTES = 30
const USES = 5
const LONGEST_NAME = 80

const id = z.string().check(z.regex(/^[A-Za-z0-9]{1,40}$/))
const absent = z.nullish(z.literal(''))
/** Only Slack's host, without port and user, because we post to it. */
const responseUrl = z.string().check(z.regex(/^https:\/\/hooks\.slack\.com\/[\w/%.-]{1,500}$/))

const command = z.object({
  command: z.string(),
  text: z._default(z.string().check(z.maxLength(4000)), ''),
  team_id: z.union([id, absent]),
  enterprise_id: z.union([id, absent]),
  channel_id: id,
  user_id: id,
  user_name: z._default(z.string(), ''),
  response_url: responseUrl,
})

const owner = z.nullish(z.object({ id }))
const press = z.object({
  type: z.literal('block_actions'),
  team: owner,
  enterprise: owner,
  channel: z.object({ id }),
  user: z.object({ id, username: z.nullish(z.string()), name: z.nullish(z.string()) }),
  actions: z.array(z.unknown()),
  response_url: responseUrl,
  container: z.nullish(
    z.object({
      message_ts: z.nullish(z.string().check(z.regex(/^\d{1,20}\.\d{1,10}$/))),
      is_ephemeral: z.nullish(z.boolean()),
    }),
  ),
})

/** Of a press it is the first. */
const action = z.object({ value: z.string().check(z.minLength(1), z.maxLength(2000)) })

const BROKEN = 'neither a slash command nor a button'

export function decode(form: Record<string, string>, signed: Signed): Result<Incoming, Rejected> {
  const incoming = 'payload' in form ? pressOf(form.payload ?? '', signed) : commandOf(form, signed)
  return incoming === null ? err({ status: 400, reason: BROKEN }) : ok(incoming)
}

function commandOf(form: Record<string, string>, { signature, at }: Signed): Incoming | null {
  const { success, data: given } = command.safeParse(form)
  if (!success) return null
  const team = given.team_id || given.enterprise_id
  if (!team) return null
  const actor = actorOf(team, given.channel_id, given.user_id, given.user_name)
  const reply = replyOf(given.response_url, at, given.channel_id, null)
  return { kind: 'command', id: signature, at, actor, words: { text: given.text }, reply }
}

function pressOf(payload: string, { signature, at }: Signed): Incoming | null {
  const { success, data: given } = press.safeParse(parseJson(payload))
  const pressed = action.safeParse(given?.actions[0])
  if (!success || !pressed.success) return null
  // Where an app is installed for a whole organisation, there may be no team.
  const team = given.team?.id ?? given.enterprise?.id
  if (team === undefined) return null
  const { user, channel } = given
  const actor = actorOf(team, channel.id, user.id, user.username ?? user.name ?? '')
  const { is_ephemeral: hidden, message_ts: own } = given.container ?? {}
  const reply = {
    ...replyOf(given.response_url, at, channel.id, hidden === true ? null : (own ?? null)),
    placed: true,
  }
  return { kind: 'press', id: signature, at, actor, token: pressed.data.value, reply }
}

function actorOf(team: string, channel: string, user: string, name: string): Actor {
  const self = `slack:${team}/${user}`
  const place = `slack:${team}/${channel}`
  return { platform: 'slack', id: self, principals: [self], user, name: headOf(name, LONGEST_NAME), place }
}

const replyOf = (address: string, at: Date, channel: string, own: string | null): ReplyTo => ({
  platform: 'slack',
  address,
  until: minutesFrom(at, MINUTES),
  uses: USES,
  channel,
  own,
  placed: false,
})
