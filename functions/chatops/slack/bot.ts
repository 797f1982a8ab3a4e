/**
 * Slack's own API, for messages that can be edited: a response URL ends after five uses, and a command's
 * can't edit.
 */
import * as z from 'zod/mini'
import type { Bot } from '../platform.ts'
import { encode } from './encode.ts'

const API = 'https://slack.com/api'

/** Failures are answered with 200 and `ok: false`. */
const taken = z.object({ ok: z.literal(true), ts: z.string() })

export const createSlackBot = (token: string): Bot => ({
  write(message, channel, own) {
    const body = { channel, ...encode(message) }
    const edited = own === null ? { unfurl_links: false, unfurl_media: false } : { ts: own }
    const method = own === null ? 'chat.postMessage' : 'chat.update'
    return { method: 'POST', url: `${API}/${method}`, body: { ...body, ...edited }, token }
  },
  read: (answer) => taken.safeParse(answer).data?.ts ?? null,
})
