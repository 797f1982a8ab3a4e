/** What Mattermost takes, more narrowly than it does: an unknown field or a text too long is refused. */
import * as z from 'zod/mini'

/** Characters of a post. */
const POST = 16_383
const text = z.string().check(z.minLength(1), z.maxLength(POST))

const action = z.strictObject({
  id: z.string().check(z.regex(/^[A-Za-z0-9]+$/)),
  type: z.literal('button'),
  name: z.string().check(z.minLength(1), z.maxLength(75)),
  style: z.enum(['default', 'danger']),
  integration: z.strictObject({
    url: z.string().check(z.regex(/^https?:\/\/[^/]+\/chat\/mattermost\/press$/)),
    context: z.record(z.string(), z.unknown()),
  }),
})
const attachment = z.strictObject({
  fallback: text,
  text: z.string().check(z.maxLength(POST)),
  actions: z.optional(z.array(action).check(z.minLength(1))),
})
const attachments = z.array(attachment).check(
  z.refine((all) => {
    const ids = all.flatMap(({ actions }) => actions ?? []).map(({ id }) => id)
    return new Set(ids).size === ids.length
  }, 'an action id twice'),
)

/** To an incoming webhook. */
export const posted = z.strictObject({ text, attachments: z.optional(attachments) })
/** To a command, at once or to its response URL. */
export const responded = z.strictObject({
  response_type: z.enum(['ephemeral', 'in_channel']),
  skip_slack_parsing: z.optional(z.boolean()),
  text,
  attachments: z.optional(attachments),
})
/** To a press. Props without attachments would leave the old ones, with their buttons. */
export const pressed = z.strictObject({
  update: z.optional(z.strictObject({ message: text, props: z.strictObject({ attachments }) })),
  ephemeral_text: z.optional(text),
  skip_slack_parsing: z.optional(z.boolean()),
})

/** A change of a post. */
export const patched = z.strictObject({ message: text, props: z.strictObject({ attachments }) })
/** A new post. */
export const written = z.strictObject({
  channel_id: z.string().check(z.regex(/^[a-z0-9]{1,40}$/)),
  message: text,
  props: z.strictObject({ attachments }),
})

export type Attachments = z.infer<typeof attachments>
