/** The interface of a service that takes notifications. All other code uses it and knows no service. */
import type * as z from 'zod/mini'
import type { Message } from '../../shared/chat/message.ts'
import type { Channel, SecretUse } from '../../shared/notify/channel.ts'
import type { Letter } from '../../shared/notify/letter.ts'
import { parseJson } from '../chatops/form.ts'

/** A message, and what its service needs to build the request. */
export type Mail = {
  channel: Channel
  letter: Letter
  /** Of the letter: the same at each try. */
  id: string
  now: Date
  /** Checked: what the service needs is there; `url` may be used. */
  secrets: Partial<Record<SecretUse, string>>
}

export type Outgoing = {
  method: 'POST' | 'PATCH'
  url: string
  headers: Record<string, string>
  body: string
}

export type Service = {
  request(mail: Mail): Outgoing | Promise<Outgoing>
  /** Whether an answer of success is the one that it gives to a message: a proxy's page has that status, too. */
  took(answer: string, mail: Mail): boolean
  /** The id of what was posted, where it can be edited later; null: the answer has none. */
  ref?(answer: unknown): string | null
  edit?(mail: Mail, ref: string, message: Message): Outgoing
}

export const jsonPost = (url: string, body: unknown, headers: Record<string, string> = {}): Outgoing => ({
  ...{ method: 'POST', url, body: JSON.stringify(body) },
  headers: { 'content-type': 'application/json', ...headers },
})

/** Slack's answer, which Mattermost has taken over. */
export const isOk = (answer: string): boolean => answer.trim() === 'ok'

export const isLike =
  (schema: z.ZodMiniType) =>
  (answer: string): boolean =>
    schema.safeParse(parseJson(answer)).success
