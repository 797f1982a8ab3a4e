/** How long somebody has a snapshot stay. */
import { parseExpiry } from '../incus/expiry.ts'
import { NEVER } from '../policy/defaults.ts'
import { err, ok, type Result } from '../result.ts'

/** In Incus's form, "30d"; null: "never" removed by itself. */
export function parseSpan(text: string): Result<string | null, string> {
  if (text === NEVER) return ok(null)
  const parsed = parseExpiry(text)
  return parsed.ok ? ok(text) : err(`expiry: ${parsed.error} ("${NEVER}" for none)`)
}
