/** Values in KV are untrusted input: an older version, a newer one or a person may have written them. */
import * as z from 'zod/mini'
import type { ReplyTo } from '../chatops/platform.ts'

const text = z.string()

export const replySchema: z.ZodMiniType<ReplyTo> = z.looseObject({
  platform: z.enum(['slack', 'discord', 'mattermost']),
  address: text,
  until: text,
  uses: z.nullable(z.number()),
  channel: text,
  own: z.nullable(text),
  placed: z.boolean(),
})

/** Null: it isn't JSON, or not of that form. */
export function readJson<Schema extends z.ZodMiniType>(
  value: string,
  schema: Schema,
): z.output<Schema> | null {
  try {
    const parsed = schema.safeParse(JSON.parse(value))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
