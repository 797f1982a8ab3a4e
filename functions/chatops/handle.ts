/**
 * One chat request up to its acknowledgement: refused, answered at once from KV, or acknowledged and answered
 * later. Nothing here waits for Incus.
 */
import { deniedMessage, mistakeMessage } from '../../shared/chat/mistake-message.ts'
import type { ReadCommand } from '../../shared/command/command.ts'
import { commands } from '../../shared/command/commands.ts'
import { parseLine, parseOptions } from '../../shared/command/parse.ts'
import { accept, isRepeated } from '../state/requests.ts'
import { answerLater } from './answer-later.ts'
import { configFor, permissionFor, say } from './authorized.ts'
import type { Chat } from './chat.ts'
import { choices } from './choices.ts'
import type { Answer, Incoming } from './platform.ts'
import { press, REPLAYED } from './press.ts'
import { read } from './read.ts'

type Typed = Extract<Incoming, { kind: 'command' }>

export async function handle(incoming: Incoming, chat: Chat): Promise<Answer> {
  if (incoming.kind === 'ping') return chat.platform.pong()
  if (incoming.kind === 'complete') return chat.platform.choose(await choices(incoming, chat))
  if (incoming.kind === 'press') return press(incoming, chat)
  return command(incoming, chat)
}

/** Grants come first: what is refused, or only reads, leaves nothing in KV. Reads are harmless twice. */
async function command(incoming: Typed, chat: Chat): Promise<Answer> {
  const { words } = incoming
  const id = `${chat.platform.name}:${incoming.id}`
  if (isRepeated(id)) return REPLAYED
  const parsed =
    'text' in words ? parseLine(words.text, commands) : parseOptions(words.command, words.options, commands)
  if (!parsed.ok) return say(mistakeMessage(parsed.error.text), incoming, chat)
  const { command } = parsed.value
  const stored = await configFor(incoming, chat)
  const permission = permissionFor(command, stored, incoming)
  if (!permission.allowed) return say(deniedMessage(permission.reason), incoming, chat)
  // A policy covers more than the instances that the grant names.
  if (command.kind === 'setting' && permission.instances !== null)
    return say(deniedMessage(PARTIAL), incoming, chat)
  const authorized = { incoming, parsed: parsed.value, permission, stored }
  if (command.kind === 'read' && !SLOW.includes(command.needs))
    return say(await read(command, authorized, chat), incoming, chat)
  const changes = command.kind === 'change' || command.kind === 'setting'
  if (changes && (await accept(chat.kv, id)) === 'known') return REPLAYED
  return answerLater(authorized, chat)
}

/** What takes longer than a platform waits. */
const SLOW: readonly ReadCommand['needs'][] = ['world', 'channels', 'exports', 'files', 'doctor']

const PARTIAL = 'your grant is for some instances, and a policy covers others too'
