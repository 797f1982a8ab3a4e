/** The buttons below a plan. What a press may do depends on its signed token and its actor, never on the message. */
import { deniedKeys, refuseStranger } from '../../shared/access/permit.ts'
import { cancelledMessage, workingMessage } from '../../shared/chat/confirm-message.ts'
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import { commands } from '../../shared/command/commands.ts'
import { parseLine } from '../../shared/command/parse.ts'
import { type Pending, readPending, settlePending } from '../state/pending.ts'
import { isRepeated } from '../state/requests.ts'
import { configFor, permissionFor, safely, say } from './authorized.ts'
import type { Chat } from './chat.ts'
import { confirm } from './perform.ts'
import type { Answer, Incoming, ReplyTo } from './platform.ts'
import { deniedText } from './propose.ts'

type Pressed = Extract<Incoming, { kind: 'press' }>

const REFUSALS = {
  malformed: 'This button is not from stapes.',
  forged: 'This button was not made here, or for another channel.',
  expired: 'This plan has expired. Request it again.',
}

/** The answer to a replay, which no platform sends by itself. */
export const REPLAYED: Answer = { status: 401, body: { error: 'this request was already answered' } }

const GONE = 'This plan was already confirmed or cancelled, or it has expired. Request it again.'

const UNSURE =
  'KV takes no writes now, so it can’t be ensured that this plan is confirmed only once. Nothing was done. Request it over the API: POST /api/run.'

export async function press(incoming: Pressed, chat: Chat): Promise<Answer> {
  const { actor, token } = incoming
  const checked = await chat.confirmations.check(token, actor.place, chat.now())
  if (!checked.ok) return say(mistakeMessage(REFUSALS[checked.error]), incoming, chat)
  const stored = await configFor(incoming, chat)
  const stranger = refuseStranger(stored?.config.access, actor)
  if (stranger !== null) return say(deniedMessage(stranger), incoming, chat)
  // KV remembers only the plan that a press has settled, so that presses without effect cost it nothing.
  if (isRepeated(`${chat.platform.name}:${incoming.id}`)) return REPLAYED
  const { id, verb, digest } = checked.value
  const pending = await readPending(chat.kv, id)
  if (pending === null || pending.digest !== digest) return say(mistakeMessage(GONE), incoming, chat)
  const parsed = parseLine(pending.line, commands)
  if (!parsed.ok || parsed.value.command.kind !== 'change') return say(mistakeMessage(GONE), incoming, chat)
  const { command } = parsed.value
  const permission = permissionFor(command, stored, incoming)
  if (!permission.allowed) return say(deniedMessage(permission.reason), incoming, chat)
  // Before the pending plan is dropped: to cancel it is a decision about these instances too.
  const forbidden = deniedKeys(permission, pending.instances)
  if (forbidden.length > 0) return say(deniedMessage(deniedText(forbidden)), incoming, chat)
  const wrong = verb === 'confirm' ? refuseConfirmer(pending, actor.id) : null
  if (wrong !== null) return say(deniedMessage(wrong), incoming, chat)
  const settled = await settlePending(chat.kv, id)
  if (settled !== 'done') return say(mistakeMessage(settled === 'before' ? GONE : UNSURE), incoming, chat)
  if (verb === 'cancel') return say(cancelledMessage(pending.line, actor), incoming, chat)
  const answer = chat.platform.say(workingMessage(pending.line, actor), incoming, chat.origin)
  const reply = replyAfter(incoming.reply, pending.reply, answer.outgoing !== null)
  const authorized = { incoming: { ...incoming, reply }, parsed: parsed.value, permission, stored }
  chat.after(
    safely(
      async () => {
        if (answer.outgoing !== null) await chat.send(answer.outgoing)
        await confirm(authorized, command, pending, chat)
      },
      authorized.incoming,
      chat,
    ),
  )
  return answer.answer
}

function refuseConfirmer({ by, approval }: Pending, actor: string): string | null {
  if (approval === 'second' && actor === by.id)
    return 'a policy of this instance requires a second person to confirm; you requested it yourself'
  if (approval === 'self' && actor !== by.id) return `only ${by.name}, who requested it, may confirm it`
  return null
}

/** Where buttons have no address of their own, the command's is used. */
function replyAfter(own: ReplyTo, command: ReplyTo, used: boolean): ReplyTo {
  const reply = own.address === '' ? { ...command, channel: own.channel, own: own.own, placed: true } : own
  const taken = own.address === '' || used ? 1 : 0
  return reply.uses === null ? reply : { ...reply, uses: reply.uses - taken }
}
