/** What several answers are made of. */
import * as z from 'zod/mini'

export const iso = z.iso.datetime({ offset: true })
export const text = z.string()
export const maybe = z.optional(text)
export const texts = z.array(text)

export const line = z
  .object({ about: text, sign: text, what: text, reason: text, counts: maybe })
  .check(
    z.describe(
      '+ take, - expire, # hold or release, < restore, ^ start or thaw, > copy, » export, × cancel, * a new instance, ✓ verify, = keep, · skip, … wait, ! problem',
    ),
  )
