/** What the HTTP API takes; what each key means stands in descriptions.ts, outside of the Worker. */
import * as z from 'zod/mini'
import { keepSchema } from '../../shared/policy/schema.ts'
import { isMoment } from '../../shared/schedule/moment.ts'

// Zod's own would bring its patterns of dates, times and spans along.
const iso = () => z.string().check(z.refine(isMoment))
const filled = z.string().check(z.minLength(1))
const names = z.array(filled).check(z.minLength(1))

export const asking = z.strictObject({
  do: z.optional(z.enum(['snapshot', 'copy', 'expire', 'restore', 'hold', 'release'])),
  policies: z.optional(names),
  instances: z.optional(names),
  snapshots: z.optional(names),
  instance: z.optional(filled),
  snapshot: z.optional(filled),
  stateful: z.optional(z.boolean()),
  note: z.optional(z.string().check(z.maxLength(300))),
  confirm: z.optional(filled),
})

export const planning = z.extend(asking, { document: z.optional(z.unknown()) })

export const taken = z.strictObject({
  name: filled,
  takenAt: iso(),
  held: z._default(z.boolean(), false),
})

export const preview = z.strictObject({
  keep: keepSchema,
  timezone: z._default(z.string(), 'UTC'),
  now: z.optional(iso()),
  snapshots: z.array(taken).check(z.maxLength(10_000)),
})
