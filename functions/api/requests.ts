/** What the HTTP API takes: bodies are checked by it, and openapi.json is made of it. */
import * as z from 'zod/mini'
import { keepSchema } from '../../shared/policy/schema.ts'

const iso = z.iso.datetime({ offset: true })
const filled = z.string().check(z.minLength(1))
const names = z.array(filled).check(z.minLength(1))

export const asking = z.strictObject({
  do: z
    .optional(z.enum(['snapshot', 'copy', 'expire', 'restore', 'hold', 'release']))
    .check(
      z.describe('Absent: a snapshot where policies or instances are named, else what the schedule says'),
    ),
  policies: z.optional(names).check(z.describe('By name; for a snapshot, one for each of them')),
  instances: z
    .optional(names)
    .check(z.describe('Globs over instance, project/instance or remote/project/instance')),
  snapshots: z
    .optional(names)
    .check(z.describe('Of expire: globs over snapshots; absent: what retention lets go')),
  instance: z.optional(filled).check(z.describe('Of restore, hold and release: a path without wildcards')),
  snapshot: z.optional(filled).check(z.describe('Of restore, hold and release')),
  note: z.optional(z.string().check(z.maxLength(300))).check(z.describe('Of hold: why')),
  confirm: z
    .optional(filled)
    .check(z.describe('Of restore and expire: the digest of the plan that is to be performed')),
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
