/** Commands that change something. A destructive one is proposed first; all of them go through the engine. */

import { visibleRun } from '../../shared/access/visible.ts'
import type { Message } from '../../shared/chat/message.ts'
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import { resultMessage } from '../../shared/chat/result-message.ts'
import type { ChangeCommand } from '../../shared/command/command.ts'
import { nothingConfigured } from '../../shared/command/unconfigured.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { isDestructive } from '../../shared/work/verbs.ts'
import { type Changed, type ChangeRequest, change } from '../change.ts'
import type { Pending } from '../state/pending.ts'
import { attemptWrite } from '../state/unwritten.ts'
import { readWatches, writeWatches } from '../state/watches.ts'
import { type AuthorizedRequest, recordId } from './authorized.ts'
import { type Chat, deliver } from './chat.ts'
import type { ReplyTo } from './platform.ts'
import { deniedText, propose } from './propose.ts'

export async function performCommand(
  authorized: AuthorizedRequest,
  command: ChangeCommand,
  chat: Chat,
): Promise<void> {
  const { incoming, parsed } = authorized
  const { actor } = incoming
  const request = command.request(parsed.values, reasonOf(actor.name))
  if (!request.ok) return say(mistakeMessage(request.error), null, authorized, chat)
  if (isDestructive(request.value))
    return say(await propose(authorized, request.value, { by: actor }, chat), null, authorized, chat)
  const id = await recordId(incoming)
  const changed = await perform(authorized, request.value, { id }, chat)
  await say(messageOf(changed, authorized), id, authorized, chat)
}

/** `confirmed`: the plan that the actor confirms. */
export async function confirm(
  authorized: AuthorizedRequest,
  command: ChangeCommand,
  confirmed: Pending,
  chat: Chat,
): Promise<void> {
  const { incoming, parsed } = authorized
  const { by } = confirmed
  const request = command.request(parsed.values, reasonOf(by.name, incoming.actor.name))
  if (!request.ok) throw new Error(`what was confirmed is no request: ${confirmed.line}`)
  const agreed = { id: confirmed.id, requester: by, expected: confirmed.digest }
  const changed = await perform(authorized, request.value, agreed, chat)
  // The new plan needs a confirmation of its own.
  const differs = changed.state === 'stopped' && changed.stop.code === 'differs'
  const message = differs
    ? await propose(
        authorized,
        { ...request.value, reason: reasonOf(by.name) },
        { by, before: confirmed },
        chat,
      )
    : messageOf(changed, authorized)
  // The channel was told that it is in progress, so it is also told when it isn't.
  await say({ ...message, to: 'channel' }, confirmed.id, authorized, chat)
}

const reasonOf = (by: string, confirmer = by): string =>
  confirmer === by ? `requested by ${by}` : `requested by ${by}, confirmed by ${confirmer}`

const perform = (
  { incoming: { actor, at, reply }, parsed: { line }, permission }: AuthorizedRequest,
  request: BackupRequest,
  agreed: Pick<ChangeRequest, 'id' | 'requester' | 'expected'>,
  { io, kv }: Chat,
): Promise<Changed> =>
  change({ at, actor, permission, line, request, reply: lessOne(reply), ...agreed }, io, kv)

function messageOf(changed: Changed, { parsed, permission }: AuthorizedRequest): Message {
  if (changed.state === 'unconfigured') return nothingConfigured()
  if (changed.state === 'ran') return resultMessage(parsed.line, visibleRun(changed.run, permission))
  const { stop } = changed
  return deniedMessage(
    stop.code === 'denied'
      ? deniedText(stop.instances)
      : 'a policy of it now requires a second person to confirm: request it again',
  )
}

/** The message that says what was started uses the address once. */
const lessOne = (reply: ReplyTo): ReplyTo => ({
  ...reply,
  uses: reply.uses === null ? null : reply.uses - 1,
  placed: true,
})

/** `id`: of the audit record of what was started. */
async function say(
  message: Message,
  id: string | null,
  { incoming }: AuthorizedRequest,
  chat: Chat,
): Promise<void> {
  const left = await deliver(message, incoming.reply, chat)
  if (id !== null && left.own !== incoming.reply.own)
    await attemptWrite('the message to edit', () => rememberMessage(id, left, chat))
}

/** Stores the message that the bot has posted, for later ticks to edit. */
async function rememberMessage(id: string, reply: ReplyTo, { io: { state } }: Chat): Promise<void> {
  const watches = await readWatches(state)
  if (watches.every((watch) => watch.id !== id)) return
  await writeWatches(
    state,
    watches.map((watch) => (watch.id === id ? { ...watch, reply } : watch)),
  )
}
