/** A request that was let in, with a command that its actor may use; and how it is answered. */
import { type Permission, permit } from '../../shared/access/permit.ts'
import type { Message } from '../../shared/chat/message.ts'
import { failedMessage } from '../../shared/chat/mistake-message.ts'
import type { Command, Parsed } from '../../shared/command/command.ts'
import { digestOf } from '../digest.ts'
import type { StoredConfig } from '../state/config.ts'
import { type Chat, tell } from './chat.ts'
import type { Answer, Repliable } from './platform.ts'

export type Asked = {
  incoming: Repliable
  parsed: Parsed
  permission: Extract<Permission, { allowed: true }>
  stored: StoredConfig | null
}

/** Whoever is let in at the door may ask these: they tell how to get further. */
const ANYBODY: readonly string[] = ['help', 'whoami']

const EVERYTHING: Permission = { allowed: true, instances: null }

export const permissionFor = (
  { name, role }: Command,
  stored: StoredConfig | null,
  { actor }: Pick<Repliable, 'actor'>,
): Permission => (ANYBODY.includes(name) ? EVERYTHING : permit(stored?.config.access, actor, { name, role }))

export function say(message: Message, incoming: Repliable, chat: Chat): Answer {
  const { answer, outgoing } = chat.platform.say(message, incoming, chat.origin)
  if (outgoing !== null) chat.after(chat.send(outgoing).then(() => undefined))
  return answer
}

/** Of a request's record, and of the plan that it proposes: the same for one that comes twice. */
export const recordId = ({ id, actor }: Repliable): Promise<string> => digestOf(`${actor.platform} ${id}`)

/** Whatever goes wrong behind the answer is told to the one who waits for it. */
export async function safely(work: () => Promise<void>, { reply }: Repliable, chat: Chat): Promise<void> {
  try {
    await work()
  } catch (cause) {
    console.error(JSON.stringify({ at: 'chat', platform: chat.platform.name, error: String(cause) }))
    const message = failedMessage()
    // In the place of one that says that it is being done.
    await tell(reply.placed ? { ...message, to: 'channel' } : message, reply, chat)
  }
}
