/** What the HTTP API takes: bodies are checked by it, and openapi.json is made of it. */
import * as z from 'zod/mini'
import { keepSchema } from '../../shared/policy/schema.ts'

const iso = z.iso.datetime({ offset: true })
const filled = z.string().check(z.minLength(1))
const names = z.array(filled).check(z.minLength(1))

export const asking = z.strictObject({
  policies: z
    .optional(names)
    .check(z.describe('Take a snapshot now for these; absent: what the schedule says')),
  instances: z
    .optional(names)
    .check(
      z.describe(
        'Take a snapshot now of these: globs over instance, project/instance or remote/project/instance',
      ),
    ),
})

const taken = z.strictObject({
  name: filled,
  takenAt: iso.check(z.describe('Stands for the slot')),
  held: z._default(z.boolean(), false),
})

export const preview = z.strictObject({
  keep: keepSchema,
  timezone: z._default(z.string(), 'UTC').check(z.describe('IANA zone of the buckets')),
  now: z.optional(iso).check(z.describe('Later snapshots are kept and not counted; absent: the present')),
  snapshots: z.array(taken).check(z.maxLength(10_000)),
})
