/** Changing commands: what is destructive is proposed first, and all of it goes through the engine. */

import { visibleRun } from '../../shared/access/visible.ts'
import type { Message } from '../../shared/chat/message.ts'
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import { resultMessage } from '../../shared/chat/result-message.ts'
import type { ChangeCommand } from '../../shared/command/command.ts'
import { nothingConfigured } from '../../shared/command/unconfigured.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { isDestructive } from '../../shared/work/verbs.ts'
import { type Changed, change, type Wish } from '../change.ts'
import type { Pending } from '../state/pending.ts'
import { readWatches, writeWatches } from '../state/watches.ts'
import { type Asked, recordId } from './asked.ts'
import { type Chat, tell } from './chat.ts'
import type { ReplyTo } from './platform.ts'
import { beyondText, propose } from './propose.ts'

export async function carryOut(asked: Asked, command: ChangeCommand, chat: Chat): Promise<void> {
  const { incoming, parsed } = asked
  const { actor } = incoming
  const request = command.request(parsed.values, reasonOf(actor.name))
  if (!request.ok) return say(mistakeMessage(request.error), null, asked, chat)
  if (isDestructive(request.value))
    return say(await propose(asked, request.value, { by: actor }, chat), null, asked, chat)
  const id = await recordId(incoming)
  const changed = await perform(asked, request.value, { id }, chat)
  await say(messageOf(changed, asked), id, asked, chat)
}

/** `confirmed`: the plan that the actor agrees to. */
export async function confirm(
  asked: Asked,
  command: ChangeCommand,
  confirmed: Pending,
  chat: Chat,
): Promise<void> {
  const { incoming, parsed } = asked
  const { by } = confirmed
  const request = command.request(parsed.values, reasonOf(by.name, incoming.actor.name))
  if (!request.ok) throw new Error(`what was confirmed can't be asked: ${confirmed.line}`)
  const agreed = { id: confirmed.id, askedBy: by, expected: confirmed.digest }
  const changed = await perform(asked, request.value, agreed, chat)
  // The new plan needs a confirmation of its own.
  const differs = changed.state === 'stopped' && changed.stop.code === 'differs'
  const message = differs
    ? await propose(asked, { ...request.value, reason: reasonOf(by.name) }, { by, before: confirmed }, chat)
    : messageOf(changed, asked)
  // It is said to be under way, for all to see; and so is that it is not.
  await say({ ...message, to: 'channel' }, confirmed.id, asked, chat)
}

const reasonOf = (by: string, confirmer = by): string =>
  confirmer === by ? `asked for by ${by}` : `asked for by ${by}, confirmed by ${confirmer}`

const perform = (
  { incoming: { actor, at, reply }, parsed: { line }, permission }: Asked,
  request: BackupRequest,
  agreed: Pick<Wish, 'id' | 'askedBy' | 'expected'>,
  { io, kv }: Chat,
): Promise<Changed> =>
  change({ at, actor, permission, line, request, reply: lessOne(reply), ...agreed }, io, kv)

function messageOf(changed: Changed, { parsed, permission }: Asked): Message {
  if (changed.state === 'unconfigured') return nothingConfigured()
  if (changed.state === 'ran') return resultMessage(parsed.line, visibleRun(changed.run, permission))
  const { stop } = changed
  return deniedMessage(
    stop.code === 'beyond'
      ? beyondText(stop.instances)
      : 'by now a policy of it demands that a second person confirms: ask again',
  )
}

/** The message that says what was started takes one use. */
const lessOne = (reply: ReplyTo): ReplyTo => ({
  ...reply,
  uses: reply.uses === null ? null : reply.uses - 1,
  placed: true,
})

/** `id`: of the record of what was begun. */
async function say(message: Message, id: string | null, { incoming }: Asked, chat: Chat): Promise<void> {
  const left = await tell(message, incoming.reply, chat)
  if (id !== null && left.own !== incoming.reply.own) await rememberMessage(id, left, chat)
}

/** A bot has posted it: the message that later ticks edit. */
async function rememberMessage(id: string, reply: ReplyTo, { io: { state } }: Chat): Promise<void> {
  const watches = await readWatches(state)
  if (watches.every((watch) => watch.id !== id)) return
  await writeWatches(
    state,
    watches.map((watch) => (watch.id === id ? { ...watch, reply } : watch)),
  )
}
