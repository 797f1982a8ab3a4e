/** Changing commands: the destructive ones post their plan and wait for a confirmation, all go through the engine. */

import { beyond } from '../../shared/access/permit.ts'
import { visiblePlan, visibleRun } from '../../shared/access/visible.ts'
import { type ConfirmButtons, changedMessage, confirmMessage } from '../../shared/chat/confirm-message.ts'
import type { Message } from '../../shared/chat/message.ts'
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import { planMessage } from '../../shared/chat/plan-message.ts'
import { resultMessage } from '../../shared/chat/result-message.ts'
import type { ChangeCommand } from '../../shared/command/command.ts'
import { nothingConfigured } from '../../shared/command/unconfigured.ts'
import type { Plan } from '../../shared/plan/plan.ts'
import { digestText, linesOf } from '../../shared/plan/render.ts'
import { touchedBy } from '../../shared/plan/touched.ts'
import { minutesFrom } from '../../shared/schedule/moment.ts'
import { type Changed, change } from '../change.ts'
import { digestOf } from '../digest.ts'
import { planOnly } from '../run.ts'
import { type Pending, writePending } from '../state/pending.ts'
import { keepWatch, longWorkOf, readWatches, writeWatches } from '../state/watches.ts'
import type { Asked } from './asked.ts'
import { type Chat, tell } from './chat.ts'
import type { ReplyTo } from './platform.ts'

/** Minutes that a plan waits: its asker is there, a second person has to be found. */
const WAITS = { self: 5, second: 30 }

/** Posts the plan with its two buttons. */
export const propose = async (asked: Asked, command: ChangeCommand, chat: Chat): Promise<void> =>
  put(await proposal(asked, command, {}, chat), asked, chat)

/** `before`: what was confirmed, and would be performed no more. */
async function proposal(
  asked: Asked,
  command: ChangeCommand,
  { before }: { before?: Pending },
  chat: Chat,
): Promise<Message> {
  const { incoming, parsed, permission } = asked
  const by = before?.by ?? incoming.actor
  const ask = command.ask(parsed.values, reasonOf(by.name))
  if (!ask.ok) return mistakeMessage(ask.error)
  const whole = await planOnly({ kind: 'run', at: incoming.at, ask: ask.value }, chat.io)
  if (whole === null) return nothingConfigured()
  const forbidden = beyond(permission, touchedBy(whole))
  if (forbidden.length > 0) return deniedMessage(beyondText(forbidden))
  const plan = visiblePlan(whole, permission)
  const lines = linesOf(plan)
  if (plan.refusal !== null || plan.actions.length === 0)
    return planMessage(parsed.line, lines, { refusal: plan.refusal, to: 'channel' })
  const pending = await pend(plan, asked, by, chat)
  const waiting = { ...pending, buttons: await buttonsOf(pending, asked, chat) }
  return before === undefined ? confirmMessage(waiting) : changedMessage({ ...waiting, before: before.lines })
}

/** Remembers the plan under a name that is its request's own. */
async function pend(
  plan: Plan,
  { incoming, parsed }: Asked,
  by: Pending['by'],
  { kv, now }: Chat,
): Promise<Pending> {
  const pending: Pending = {
    id: await digestOf(`${incoming.actor.platform} ${incoming.id}`),
    line: parsed.line,
    by: { id: by.id, name: by.name, user: by.user },
    approval: plan.approval,
    digest: await digestOf(digestText(plan)),
    lines: linesOf(plan),
    instances: touchedBy(plan),
    until: minutesFrom(now(), WAITS[plan.approval]),
    reply: incoming.reply,
  }
  await writePending(kv, pending)
  return pending
}

async function buttonsOf(
  { id, digest, until }: Pending,
  { incoming }: Asked,
  { confirmations }: Chat,
): Promise<ConfirmButtons> {
  const issue = (verb: 'confirm' | 'cancel') =>
    confirmations.issue({ verb, id, digest, until: new Date(until), place: incoming.actor.place })
  return { confirm: await issue('confirm'), cancel: await issue('cancel') }
}

/** `confirmed`: the plan that somebody has agreed to. */
export async function perform(
  asked: Asked,
  command: ChangeCommand,
  { confirmed }: { confirmed?: Pending },
  chat: Chat,
): Promise<void> {
  const { incoming, parsed, permission } = asked
  const { actor, at } = incoming
  const by = confirmed?.by ?? actor
  const ask = command.ask(parsed.values, reasonOf(by.name, actor.name))
  if (!ask.ok) return put(mistakeMessage(ask.error), asked, chat)
  const id = confirmed?.id ?? (await digestOf(`${actor.platform} ${incoming.id}`))
  const watch = { id, line: parsed.line, by: by.name, startedAt: at.toISOString() }
  const changed = await change(
    {
      ...{ id, at, actor, permission, line: parsed.line, ask: ask.value },
      ...(confirmed === undefined ? {} : { askedBy: confirmed.by, expected: confirmed.digest }),
      begins: (plan) => keepWatch(chat.io.state, { ...watch, ...longWorkOf(plan) }, lessOne(incoming.reply)),
    },
    chat.io,
    chat.kv,
  )
  const message = await messageOf(changed, asked, command, confirmed, chat)
  // What is confirmed is said to be under way, for all to see; and so is that it is not.
  const told = confirmed === undefined ? message : { ...message, to: 'channel' as const }
  const left = await tell(told, incoming.reply, chat)
  if (left.own !== incoming.reply.own) await rememberMessage(id, left, chat)
}

const reasonOf = (by: string, confirmer = by): string =>
  confirmer === by ? `asked for by ${by}` : `asked for by ${by}, confirmed by ${confirmer}`

async function messageOf(
  changed: Changed,
  asked: Asked,
  command: ChangeCommand,
  confirmed: Pending | undefined,
  chat: Chat,
): Promise<Message> {
  if (changed.state === 'unconfigured') return nothingConfigured()
  if (changed.state === 'ran')
    return resultMessage(asked.parsed.line, visibleRun(changed.run, asked.permission))
  const { stop } = changed
  if (stop.code === 'beyond') return deniedMessage(beyondText(stop.instances))
  if (stop.code === 'approval' || confirmed === undefined)
    return deniedMessage('by now a policy of it demands that a second person confirms: ask again')
  // The new plan needs a confirmation of its own.
  return proposal(asked, command, { before: confirmed }, chat)
}

/** Without their names: whoever may not touch them may not see them either, perhaps. */
export const beyondText = ({ length }: readonly string[]): string =>
  `your grants don't reach ${length === 1 ? 'an instance' : `${length} instances`} that it is about`

/** The message that says what was started takes one use. */
const lessOne = (reply: ReplyTo): ReplyTo => ({
  ...reply,
  uses: reply.uses === null ? null : reply.uses - 1,
  placed: true,
})

/** A bot has posted it: the message that later ticks edit. */
async function rememberMessage(id: string, reply: ReplyTo, { io: { state } }: Chat): Promise<void> {
  const watches = await readWatches(state)
  if (watches.every((watch) => watch.id !== id)) return
  await writeWatches(
    state,
    watches.map((watch) => (watch.id === id ? { ...watch, reply } : watch)),
  )
}

const put = async (message: Message, { incoming }: Asked, chat: Chat): Promise<void> => {
  await tell(message, incoming.reply, chat)
}
