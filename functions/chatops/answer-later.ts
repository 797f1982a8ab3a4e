/** Commands that need Incus or several writes: acknowledged now, answered later by a message of their own. */

import { type AuditRecord, writtenBy } from '../../shared/access/audit.ts'
import { visiblePlan } from '../../shared/access/visible.ts'
import type { Message } from '../../shared/chat/message.ts'
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import { planMessage } from '../../shared/chat/plan-message.ts'
import { settingMessage } from '../../shared/chat/result-message.ts'
import type { PauseChange, SettingCommand } from '../../shared/command/command.ts'
import { commands } from '../../shared/command/commands.ts'
import { previewOf } from '../../shared/command/preview.ts'
import { nothingConfigured } from '../../shared/command/unconfigured.ts'
import { linesOf } from '../../shared/plan/lines.ts'
import { err, type Result } from '../../shared/result.ts'
import { planOnly } from '../run.ts'
import { closeAudit, writeAudit } from '../state/audit.ts'
import type { StoredConfig } from '../state/config.ts'
import { changePause } from '../state/pauses.ts'
import { reportUnwritten } from '../state/unwritten.ts'
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
  authorized: AuthorizedRequest,
  { io, kv, now }: Chat,
): Promise<Message> {
  const { incoming, parsed, stored } = authorized
  const { actor, at } = incoming
  if (stored === null) return nothingConfigured()
  const wanted = command.change(parsed.values, actor.name, at)
  if (!wanted.ok) return mistakeMessage(wanted.error)
  const record = {
    ...{ id: await recordId(incoming), at: at.toISOString() },
    ...{ ...writtenBy(actor), what: parsed.line },
  }
  const changed = await changeRecorded(wanted.value, record, { io, kv, now })
  return changed.ok ? settingMessage(wanted.value, actor) : mistakeMessage(changed.error)
}

/** The change itself is in KV too, so without its record it isn't made either. */
async function changeRecorded(
  change: PauseChange,
  record: AuditRecord,
  { io, kv, now }: Pick<Chat, 'io' | 'kv' | 'now'>,
): Promise<Result<StoredConfig, string>> {
  let changed: Result<StoredConfig, string>
  try {
    await writeAudit(kv, record)
    changed = await changePause(change, io.state, now())
  } catch (cause) {
    reportUnwritten('a pause', cause, record)
    return err(
      `KV did not take it, so nothing was changed: ${String(cause)}. Has the plan's allowance of the day been used up? It begins anew at midnight UTC. user.stapes.paused=true on an instance pauses it without KV`,
    )
  }
  const outcome = changed.ok
    ? { state: 'done' as const, text: 'done' }
    : { state: 'refused' as const, text: changed.error }
  await closeAudit({ record, written: true }, { ...outcome, at: now().toISOString() }, kv)
  return changed
}
