/** What several parts of the relay's configuration are made of. */
import { z } from 'zod'
import { parseDuration } from '../shared/schedule/duration.ts'

/** Of a remote, or a store. */
export const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/

/** In seconds. */
export const span = z.string().transform((text, context) => {
  const parsed = parseDuration(text)
  if (parsed.ok) return parsed.value
  context.addIssue({ code: 'custom', message: parsed.error })
  return z.NEVER
})

/** SHA-256 of a certificate, with colons or without. `expected`: the message for what is none. */
export const fingerprintOr = (expected: string) =>
  z
    .string()
    .transform((hex) => hex.replaceAll(':', '').toLowerCase())
    .refine((hex) => /^[0-9a-f]{64}$/.test(hex), expected)
