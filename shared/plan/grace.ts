/** How long somebody can take back the removal of a snapshot that was named. */
import { err, ok, type Result } from '../result.ts'
import { parseDuration } from '../schedule/duration.ts'

/** Seconds, unless something else is said. */
export const GRACE = 2 * 86_400

/** A century: a date that Incus has room for. */
const LONGEST = 36_500 * 86_400

/** Seconds; `0`: none, it goes at once. */
export function parseGrace(text: string): Result<number, string> {
  const seconds = text === '0' ? ok(0) : parseDuration(text)
  if (!seconds.ok) return err(`grace: ${seconds.error}`)
  return seconds.value <= LONGEST ? seconds : err(`grace: expected at most 100 years, got "${text}"`)
}
