/** What Discord takes in the bodies that stapes sends, and nothing that stapes has no reason to send. */
import * as z from 'zod/mini'

const text = (longest: number) => z.string().check(z.minLength(1), z.maxLength(longest))

const button = z.strictObject({
  type: z.literal(2),
  style: z.union([z.literal(2), z.literal(4)]),
  label: text(80),
  custom_id: text(100),
})
const row = z.strictObject({
  type: z.literal(1),
  components: z.array(button).check(z.minLength(1), z.maxLength(5)),
})
const embed = z.strictObject({ description: text(4096), color: z.int().check(z.gte(0), z.lte(0xffffff)) })

const parts = {
  content: text(2000),
  embeds: z.array(embed).check(z.maxLength(1)),
  /** Discord's default would notify whoever is named. */
  allowed_mentions: z.strictObject({ parse: z.array(z.string()).check(z.maxLength(0)) }),
}
const rows = z
  .array(row)
  .check(z.maxLength(5), z.refine(areDistinct, { error: 'two buttons have the same custom_id' }))

/** Its flags were fixed by the first reply. */
export const edit = z.strictObject({ ...parts, components: rows })
/** A channel's own webhook carries no buttons. */
export const post = z.strictObject(parts)

const hidden = z.literal(64)
const placed = z.strictObject({ ...parts, components: rows, flags: z.optional(hidden) })
const choice = z.strictObject({ name: text(100), value: text(100) })

const pong = z.strictObject({ type: z.literal(1) })
const message = z.strictObject({ type: z.literal(4), data: placed })
const deferred = z.strictObject({
  type: z.literal(5),
  data: z.optional(z.strictObject({ flags: hidden })),
})
const deferredUpdate = z.strictObject({ type: z.literal(6) })
const update = z.strictObject({ type: z.literal(7), data: edit })
const choices = z.strictObject({
  type: z.literal(8),
  data: z.strictObject({ choices: z.array(choice).check(z.maxLength(25)) }),
})

/** The first reply, by the type of its interaction. */
export const replies = {
  1: pong,
  2: z.discriminatedUnion('type', [message, deferred]),
  3: z.discriminatedUnion('type', [message, deferred, deferredUpdate, update]),
  4: choices,
}

export type Body = z.infer<typeof edit>

function areDistinct(given: z.infer<typeof row>[]): boolean {
  const ids = given.flatMap(({ components }) => components.map(({ custom_id }) => custom_id))
  return new Set(ids).size === ids.length
}
