/** `snapshots.schedule`: cron of five fields, or aliases whose minute and hour come from the instance's id. */
import { CronExpressionParser } from 'cron-parser'
import { Refusal } from './envelope.ts'

const MINUTE_MS = 60_000

/** An alias's minute and hour: stable, not midnight, different per instance. */
function expandAlias(part: string, seed: number): string {
  const minute = (seed * 37) % 60
  const hour = (seed * 11) % 24
  const fields: Record<string, string> = {
    '@hourly': `${minute} * * * *`,
    '@daily': `${minute} ${hour} * * *`,
    '@midnight': `${minute} 0 * * *`,
    '@weekly': `${minute} ${hour} * * 0`,
    '@monthly': `${minute} ${hour} 1 * *`,
    '@annually': `${minute} ${hour} 1 1 *`,
    '@yearly': `${minute} ${hour} 1 1 *`,
  }
  return fields[part.toLowerCase()] ?? part
}

const SILENT = new Set(['', '@never', '@startup'])

/** None of its parts has slots: copies have "@never". */
export const isIdle = (schedule: string): boolean =>
  schedule.split(', ').every((part) => SILENT.has(part.toLowerCase()))

/** Refuses what Incus refuses. */
export function checkSchedule(schedule: string): void {
  for (const part of schedule.split(', ').filter((each) => !SILENT.has(each.toLowerCase()))) {
    const fields = expandAlias(part, 1)
    if (fields.split(' ').length !== 5 || !parses(fields))
      throw new Refusal(
        500,
        'Invalid config: Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>',
      )
  }
}

function parses(fields: string): boolean {
  try {
    CronExpressionParser.parse(fields)
    return true
  } catch {
    return false
  }
}

/** Whether a slot lies in the *next* minute: that is when the daemon fires. UTC is its local zone. */
export function isDue(schedule: string, seed: number, now: number): boolean {
  const slot = (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS
  return schedule
    .split(', ')
    .filter((part) => !SILENT.has(part.toLowerCase()))
    .some((part) => {
      const expression = CronExpressionParser.parse(expandAlias(part, seed), {
        currentDate: new Date(slot - 1),
        tz: 'UTC',
      })
      return expression.next().getTime() === slot
    })
}
