/** A chat request whose actor may use its command, and how it is answered. */
import { type Permission, permit, refuseStranger } from '../../shared/access/permit.ts'
import type { Message } from '../../shared/chat/message.ts'
import { failedMessage } from '../../shared/chat/mistake-message.ts'
import type { Command, Parsed } from '../../shared/command/command.ts'
import { digestOf } from '../digest.ts'
import { readRecentConfig, type StoredConfig } from '../state/config.ts'
import { type Chat, deliver } from './chat.ts'
import type { Answer, Repliable } from './platform.ts'

export type AuthorizedRequest = {
  incoming: Repliable
  parsed: Parsed
  permission: Extract<Permission, { allowed: true }>
  stored: StoredConfig | null
}

/** Commands that need no grant: they say how to get one. */
const ANYBODY: readonly string[] = ['help', 'whoami']

const EVERYTHING: Permission = { allowed: true, instances: null }

export const permissionFor = (
  { name, role }: Command,
  stored: StoredConfig | null,
  { actor }: Pick<Repliable, 'actor'>,
): Permission => (ANYBODY.includes(name) ? EVERYTHING : permit(stored?.config.access, actor, { name, role }))

/**
 * The configuration that decides about an actor. Only to refuse somebody whom no grant names, a recent one is
 * enough, so that strangers cost hardly any reads of KV; whoever may do something is looked up now.
 */
export const configFor = (
  { actor }: Pick<Repliable, 'actor'>,
  { kv, now }: Pick<Chat, 'kv' | 'now'>,
): Promise<StoredConfig | null> =>
  readRecentConfig(kv, now(), (stored) => refuseStranger(stored?.config.access, actor) !== null)

export function say(message: Message, incoming: Repliable, chat: Chat): Answer {
  const { answer, outgoing } = chat.platform.say(message, incoming, chat.origin)
  if (outgoing !== null) chat.after(chat.send(outgoing).then(() => undefined))
  return answer
}

/** Id of a request's audit record and of its pending plan. A request that comes twice has the same. */
export const recordId = ({ id, actor }: Repliable): Promise<string> => digestOf(`${actor.platform} ${id}`)

/** If the work fails after the acknowledgement, the actor gets a message. */
export async function safely(work: () => Promise<void>, { reply }: Repliable, chat: Chat): Promise<void> {
  try {
    await work()
  } catch (cause) {
    console.error(JSON.stringify({ at: 'chat', platform: chat.platform.name, error: String(cause) }))
    const message = failedMessage()
    // It replaces the one that says that the work is in progress.
    await deliver(reply.placed ? { ...message, to: 'channel' } : message, reply, chat)
  }
}
