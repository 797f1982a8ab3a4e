/** Discord's interactions, after their signature was verified: pings, `/backup …`, buttons, and completion. */
import * as z from 'zod/mini'
import type { Actor } from '../../../shared/chat/actor.ts'
import { DISCORD_COMMANDS } from '../../../shared/command/discord.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { minutesFrom } from '../../../shared/schedule/moment.ts'
import { parseJson } from '../form.ts'
import type { Incoming, Rejected, ReplyTo } from '../platform.ts'

/** Discord takes edits for 15 minutes; half a minute is kept in reserve. */
const MINUTES = 14.5
const LONGEST_NAME = 80

const snowflake = z.string().check(z.regex(/^\d{1,20}$/))
const name = z.string().check(z.minLength(1), z.maxLength(100))
const user = z.object({ id: snowflake, username: z.string(), global_name: z.nullish(z.string()) })
const member = z.object({ user, nick: z.nullish(z.string()), roles: z.array(snowflake) })

const base = { id: snowflake, application_id: snowflake }
const common = {
  ...base,
  // It becomes part of a path.
  token: z.string().check(z.regex(/^[\w-][\w.=-]{0,499}$/)),
  channel_id: snowflake,
  guild_id: z.optional(snowflake),
  member: z.optional(member),
  user: z.optional(user),
}
const option = z.object({
  name,
  value: z.union([z.string(), z.number(), z.boolean()]),
  focused: z.optional(z.boolean()),
})
const subcommand = z.object({ type: z.literal(1), name, options: z._default(z.array(option), []) })
const data = z.object({ name: z.enum(DISCORD_COMMANDS), options: z.array(subcommand) })

const ping = z.object({ ...base, type: z.literal(1) })
const interactions = [
  ping,
  z.object({ ...common, type: z.literal(2), data }),
  z.object({
    ...common,
    type: z.literal(3),
    data: z.object({ component_type: z.literal(2), custom_id: name }),
  }),
  z.object({ ...common, type: z.literal(4), data }),
]
type Interaction = Exclude<z.infer<(typeof interactions)[number]>, { type: 1 }>

export function decode(body: string, at: Date, applicationId: string): Result<Incoming, Rejected> {
  const json = parseJson(body)
  // By its type, so that an error can say which part is wrong.
  const ofType = interactions.find(({ shape }) => shape.type.safeParse(Object(json).type).success)
  const parsed = (ofType ?? ping).safeParse(json)
  if (!parsed.success)
    return err({ status: 400, reason: `not an interaction of /backup: ${pathOf(parsed.error)}` })
  const { data: given } = parsed
  if (given.application_id !== applicationId)
    return err({ status: 401, reason: `for the application ${given.application_id}` })
  if (given.type === 1) return ok({ kind: 'ping' })
  const actor = actorOf(given)
  if (actor === null) return err({ status: 400, reason: 'neither a member of a guild nor a user' })
  return incomingOf(given, actor, at)
}

function incomingOf(given: Interaction, actor: Actor, at: Date): Result<Incoming, Rejected> {
  const { id } = given
  if (given.type === 3) {
    const token = given.data.custom_id
    return ok({ kind: 'press', id, at, actor, token, reply: replyOf(given.token, at, true) })
  }
  const [chosen, ...others] = given.data.options
  if (chosen === undefined || others.length > 0) return err({ status: 400, reason: 'not one subcommand' })
  const { name: command, options } = chosen
  const focused = options.find((one) => one.focused === true)
  const settled = options.filter((one) => one !== focused).map((one) => [one.name, String(one.value)])
  const values: Record<string, string> = Object.fromEntries(settled)
  if (given.type === 2) {
    const words = { command, options: values }
    return ok({ kind: 'command', id, at, actor, words, reply: replyOf(given.token, at, false) })
  }
  if (focused === undefined) return err({ status: 400, reason: 'no option is being typed' })
  const typed = String(focused.value)
  return ok({ kind: 'complete', actor, command, option: focused.name, typed, options: values })
}

/** Members of a guild also act for their roles; in direct messages there are none. */
function actorOf({ guild_id: guild, channel_id: channel, member, user }: Interaction): Actor | null {
  const person = guild === undefined ? user : member?.user
  if (person === undefined) return null
  const where = `discord:${guild ?? '@me'}`
  const id = `${where}/${person.id}`
  const roles = guild === undefined ? [] : (member?.roles ?? [])
  return {
    platform: 'discord',
    id,
    principals: [id, ...roles.map((role) => `${where}/@${role}`)],
    user: person.id,
    name: [...(member?.nick ?? person.global_name ?? person.username)].slice(0, LONGEST_NAME).join(''),
    place: `${where}/${channel}`,
  }
}

const replyOf = (token: string, at: Date, placed: boolean): ReplyTo => ({
  platform: 'discord',
  address: token,
  until: minutesFrom(at, MINUTES),
  uses: null,
  ...{ channel: '', own: null },
  placed,
})

const pathOf = ({ issues: [first] }: z.core.$ZodError): string =>
  `${first?.path.join('.') || 'body'}: ${first?.message}`
