/** Plain durations as `jitter` and `catchup` take them. */
import { err, ok, type Result } from '../result.ts'

const DURATION = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/

/** "1h30m" gives 5400 seconds. Units d, h, m (minutes) and s, each once, the larger first. */
export function parseDuration(text: string): Result<number, string> {
  const found = DURATION.exec(text.trim())
  if (found === null || found[0] === '')
    return err(
      `expected a duration of days, hours, minutes and seconds like "90s", "15m" or "1h30m", got "${text}"`,
    )
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0))
  return ok((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0))
}
