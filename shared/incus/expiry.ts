/**
 * Incus's expiry expressions (`snapshots.expiry`): numbers with S, M (minutes), H, d, w, m (months)
 * or y, separated by single spaces, each unit once. Stricter than Incus in one thing: zero, which
 * would expire a snapshot at once, is refused.
 */
import { err, ok, type Result } from '../result.ts'

type Unit = 'S' | 'M' | 'H' | 'd' | 'w' | 'm' | 'y'
type Expiry = Partial<Record<Unit, number>>

/** Roughly, in days; only to refuse dates that JSON has no room for. */
const DAYS: Record<Unit, number> = { S: 1 / 86_400, M: 1 / 1440, H: 1 / 24, d: 1, w: 7, m: 31, y: 366 }
const LONGEST = 1000 * DAYS.y

const isUnit = (text: string | undefined): text is Unit => text !== undefined && text in DAYS

export function parseExpiry(text: string): Result<Expiry, string> {
  const expiry: Expiry = {}
  let days = 0
  for (const part of text.trim().split(' ')) {
    const [, digits, unit] = /^(\d+)([SMHdwmy])$/.exec(part) ?? []
    if (!isUnit(unit)) return err(expected(text, `"${part}" is not a number with its unit`))
    if (expiry[unit] !== undefined) return err(expected(text, `${unit} is there twice`))
    const count = Number(digits)
    if (count === 0) return err(expected(text, `"${part}" would expire at once`))
    expiry[unit] = count
    days += count * DAYS[unit]
  }
  return days > LONGEST ? err(expected(text, 'that is more than 1000 years')) : ok(expiry)
}

const expected = (got: string, problem: string): string =>
  `expected an Incus expiry like "7d" or "1m 12H" (S seconds, M minutes, H hours, d days, w weeks, m months, y years), got "${got}": ${problem}`

/**
 * When something made at `from` expires, in calendar steps of UTC; like Incus, a day that a month
 * lacks runs over into the next (31 January and 1m give 3 March). Throws on what `parseExpiry` refuses.
 */
export function expiresAt(expression: string, from: Date): Date {
  const parsed = parseExpiry(expression)
  if (!parsed.ok) throw new Error(parsed.error)
  const { S = 0, M = 0, H = 0, d = 0, w = 0, m = 0, y = 0 } = parsed.value
  const day = new Date(from)
  day.setUTCFullYear(from.getUTCFullYear() + y, from.getUTCMonth() + m, from.getUTCDate() + d + 7 * w)
  return new Date(day.getTime() + ((H * 60 + M) * 60 + S) * 1000)
}
