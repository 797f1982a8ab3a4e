/** What Slack takes, as narrowly as it documents it: an unknown field or a text too long is refused. */
import * as z from 'zod/mini'

const text = z.string().check(z.minLength(1), z.maxLength(3000))
const mrkdwn = z.strictObject({ type: z.literal('mrkdwn'), text, verbatim: z.optional(z.boolean()) })
const section = z.strictObject({ type: z.literal('section'), text: mrkdwn })
const button = z.strictObject({
  type: z.literal('button'),
  action_id: z.string().check(z.regex(/^[A-Za-z0-9]{1,255}$/)),
  text: z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().check(z.minLength(1), z.maxLength(75)),
  }),
  value: z.string().check(z.minLength(1), z.maxLength(2000)),
  style: z.optional(z.enum(['primary', 'danger'])),
})
const actions = z.strictObject({
  type: z.literal('actions'),
  elements: z.array(button).check(
    z.minLength(1),
    z.maxLength(25),
    z.refine((all) => new Set(all.map(({ action_id }) => action_id)).size === all.length, 'action_id twice'),
  ),
})

const message = {
  text: z.string().check(z.minLength(1), z.maxLength(40_000)),
  blocks: z.array(z.discriminatedUnion('type', [section, actions])).check(z.minLength(1), z.maxLength(50)),
}
const responseType = z.enum(['ephemeral', 'in_channel'])

/** To an incoming webhook. */
export const posted = z.strictObject(message)
/** The HTTP answer to a slash command. */
export const answered = z.union([
  z.strictObject({ response_type: z.literal('in_channel') }),
  z.strictObject({ ...message, response_type: responseType }),
])
/** To a response URL. */
export const responded = z.strictObject({
  ...message,
  response_type: z.optional(responseType),
  replace_original: z.optional(z.boolean()),
})

const channel = z.string().check(z.regex(/^[CDG][A-Z0-9]{1,20}$/))
/** To chat.postMessage. */
export const written = z.strictObject({
  ...message,
  channel,
  unfurl_links: z.literal(false),
  unfurl_media: z.literal(false),
})
/** To chat.update. */
export const updated = z.strictObject({ ...message, channel, ts: z.string() })

export type SlackBody = z.infer<typeof responded>
