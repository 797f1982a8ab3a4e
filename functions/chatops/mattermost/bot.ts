/** Mattermost's own API, for messages that can be edited: a response URL can only add messages. */
import * as z from 'zod/mini'
import type { Bot } from '../platform.ts'
import { encode } from './encode.ts'

const taken = z.object({ id: z.string().check(z.regex(/^[a-z0-9]{26}$/)) })

/** `server`: its origin. */
export const createMattermostBot = (server: string, token: string): Bot => ({
  write(message, channel, own, worker) {
    const { text, attachments } = encode(message, worker === '' ? null : worker)
    const body = { message: text, props: { attachments } }
    return own === null
      ? { method: 'POST', url: `${server}/api/v4/posts`, body: { channel_id: channel, ...body }, token }
      : { method: 'PUT', url: `${server}/api/v4/posts/${own}/patch`, body, token }
  },
  read: (answer) => taken.safeParse(answer).data?.id ?? null,
})
