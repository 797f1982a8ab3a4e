/** Commands that need Incus or several writes: acknowledged now, answered later by a message of their own. */

import { visiblePlan } from '../../shared/access/visible.ts'
import type { Message } from '../../shared/chat/message.ts'
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import { planMessage } from '../../shared/chat/plan-message.ts'
import type { SettingCommand } from '../../shared/command/command.ts'
import { commands } from '../../shared/command/commands.ts'
import { previewOf } from '../../shared/command/preview.ts'
import { nothingConfigured } from '../../shared/command/unconfigured.ts'
import { linesOf } from '../../shared/plan/lines.ts'
import { changeSetting } from '../change-setting.ts'
import { planOnly } from '../run.ts'
import { type AuthorizedRequest, permissionFor, recordId, safely } from './authorized.ts'
import { type Chat, deliver } from './chat.ts'
import { performCommand } from './perform.ts'
import type { Answer } from './platform.ts'
import { read } from './read.ts'

export function answerLater(authorized: AuthorizedRequest, chat: Chat): Answer {
  const { incoming, parsed } = authorized
  const { command } = parsed
  const reads = command.kind === 'read' || command.kind === 'preview'
  chat.after(safely(() => goOn(authorized, chat), incoming, chat))
  return chat.platform.later(reads ? 'caller' : 'channel', incoming)
}

async function goOn(authorized: AuthorizedRequest, chat: Chat): Promise<void> {
  const { command } = authorized.parsed
  switch (command.kind) {
    case 'read':
      return put(await read(command, authorized, chat), authorized, chat)
    case 'preview':
      return put(await preview(authorized, chat), authorized, chat)
    case 'setting':
      return put(await set(command, authorized, chat), authorized, chat)
    case 'change':
      return performCommand(authorized, command, chat)
  }
}

const put = async (message: Message, { incoming }: AuthorizedRequest, chat: Chat): Promise<void> => {
  await deliver(message, incoming.reply, chat)
}

/** Seeing the plan needs the same permission as performing it: it names instances. */
async function preview(
  { incoming, parsed, permission, stored }: AuthorizedRequest,
  { io }: Chat,
): Promise<Message> {
  const previewed = previewOf(parsed.values.line ?? '', commands)
  if (!previewed.ok) return mistakeMessage(previewed.error.text)
  const { request, of } = previewed.value
  const needed = of === null ? permission : permissionFor(of.command, stored, incoming)
  if (!needed.allowed) return deniedMessage(needed.reason)
  const plan = await planOnly(
    { kind: 'run', at: incoming.at, ...(request === undefined ? {} : { request }) },
    io,
  )
  if (plan === null) return nothingConfigured()
  const visible = visiblePlan(plan, needed)
  return planMessage(parsed.line, linesOf(visible), { refusal: visible.refusal })
}

async function set(
  command: SettingCommand,
  { incoming, parsed: { line, values }, stored }: AuthorizedRequest,
  { io, kv, now }: Chat,
): Promise<Message> {
  if (stored === null) return nothingConfigured()
  const { actor, at } = incoming
  const id = await recordId(incoming)
  const changed = await changeSetting({ command, values, line, actor, id, at }, { state: io.state, kv, now })
  return changed.ok ? changed.value : mistakeMessage(changed.error)
}
