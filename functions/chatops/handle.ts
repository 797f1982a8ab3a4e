/**
 * One chat request up to its acknowledgement: refused, answered at once from KV, or acknowledged and answered
 * later. Nothing here waits for Incus.
 */
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import { commands } from '../../shared/command/commands.ts'
import { parseLine, parseOptions } from '../../shared/command/parse.ts'
import { readConfig, type StoredConfig } from '../state/config.ts'
import { isNew } from '../state/requests.ts'
import { answerLater } from './answer-later.ts'
import { permissionFor, say } from './authorized.ts'
import type { Chat } from './chat.ts'
import { choices } from './choices.ts'
import type { Answer, Incoming } from './platform.ts'
import { press, REPLAYED } from './press.ts'
import { read } from './read.ts'

type Typed = Extract<Incoming, { kind: 'command' }>

export async function handle(incoming: Incoming, chat: Chat): Promise<Answer> {
  if (incoming.kind === 'ping') return chat.platform.pong()
  if (incoming.kind === 'complete') return chat.platform.choose(await choices(incoming, chat))
  if (incoming.kind === 'press') return press(incoming, await readConfig(chat.kv), chat)
  if (!(await isNew(chat.kv, `${chat.platform.name}:${incoming.id}`))) return REPLAYED
  return command(incoming, await readConfig(chat.kv), chat)
}

async function command(incoming: Typed, stored: StoredConfig | null, chat: Chat): Promise<Answer> {
  const { words } = incoming
  const parsed =
    'text' in words ? parseLine(words.text, commands) : parseOptions(words.command, words.options, commands)
  if (!parsed.ok) return say(mistakeMessage(parsed.error.text), incoming, chat)
  const permission = permissionFor(parsed.value.command, stored, incoming)
  if (!permission.allowed) return say(deniedMessage(permission.reason), incoming, chat)
  const authorized = { incoming, parsed: parsed.value, permission, stored }
  const { command } = parsed.value
  if (command.kind !== 'read' || command.needs === 'world') return answerLater(authorized, chat)
  return say(await read(command, authorized, chat), incoming, chat)
}
