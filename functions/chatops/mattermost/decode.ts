/** Mattermost's requests: slash commands, which have a token, and presses, which have the button's context. */

import { sha256 } from 'hono/utils/crypto'
import * as z from 'zod/mini'
import type { Actor } from '../../../shared/chat/actor.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { minutesFrom } from '../../../shared/schedule/moment.ts'
import { parseJson } from '../form.ts'
import { headOf } from '../lines.ts'
import type { Incoming, Rejected, ReplyTo } from '../platform.ts'

/** For how long a response URL is valid. */
const MINUTES = 30
const USES = 5
const LONGEST_NAME = 80
/** Buttons of direct messages name no team. No team has this id: theirs have 26 characters. */
const DIRECT = 'direct'

const id = z.string().check(z.regex(/^[a-z0-9]{1,40}$/i))
const trigger = z.string().check(z.minLength(1), z.maxLength(1000))

const command = z.object({
  command: z.string(),
  text: z._default(z.string().check(z.maxLength(4000)), ''),
  team_id: id,
  channel_id: id,
  user_id: id,
  user_name: z._default(z.string(), ''),
  trigger_id: trigger,
  response_url: z.string().check(z.regex(/^https:\/\/[\w.:[\]-]+\/[\w/-]{1,500}$/)),
})

const press = z.object({
  team_id: z.union([id, z.nullish(z.literal(''))]),
  channel_id: id,
  user_id: id,
  user_name: z._default(z.string(), ''),
  trigger_id: trigger,
  post_id: z.nullish(id),
  context: z.object({
    token: z.string().check(z.regex(/^[\w.:=+/-]{1,200}$/)),
    hidden: z.optional(z.boolean()),
  }),
})

/** `origin`: where this Mattermost is; other response URLs are rejected, because we post to them. */
export async function decodeCommand(
  form: Record<string, string>,
  origin: string,
  at: Date,
): Promise<Result<Incoming, Rejected>> {
  const { success, data: given } = command.safeParse(form)
  if (!success) return err({ status: 400, reason: 'not a slash command' })
  const { response_url: address } = given
  if (!address.startsWith(`${origin}/`) || !address.includes('/hooks/commands/'))
    return err({ status: 400, reason: `a response URL that is not of ${origin}` })
  const reply: ReplyTo = {
    platform: 'mattermost',
    address,
    until: minutesFrom(at, MINUTES),
    uses: USES,
    channel: given.channel_id,
    own: null,
    placed: false,
  }
  const actor = actorOf(given)
  return ok({
    kind: 'command',
    id: await idOf(given.trigger_id),
    at,
    actor,
    words: { text: given.text },
    reply,
  })
}

/** An ephemeral message can't be replaced. */
export async function decodePress(body: string, at: Date): Promise<Result<Incoming, Rejected>> {
  const { success, data: given } = press.safeParse(parseJson(body))
  if (!success) return err({ status: 400, reason: 'not a button of stapes' })
  const { token, hidden } = given.context
  const reply: ReplyTo = {
    platform: 'mattermost',
    address: '',
    until: at.toISOString(),
    uses: 0,
    channel: given.channel_id,
    own: hidden === true ? null : (given.post_id ?? null),
    placed: hidden !== true,
  }
  return ok({ kind: 'press', id: await idOf(given.trigger_id), at, actor: actorOf(given), token, reply })
}

/** Mattermost makes a new trigger id for each command and each press. */
const idOf = async (triggerId: string): Promise<string> => (await sha256(`mattermost ${triggerId}`)) ?? ''

type Given = { team_id?: string | null | undefined; channel_id: string; user_id: string; user_name: string }

function actorOf({ team_id, channel_id: channel, user_id: user, user_name }: Given): Actor {
  const team = team_id || DIRECT
  const self = `mattermost:${team}/${user}`
  const name = headOf(user_name, LONGEST_NAME)
  return {
    platform: 'mattermost',
    id: self,
    principals: [self],
    user,
    name,
    place: `mattermost:${team}/${channel}`,
  }
}
