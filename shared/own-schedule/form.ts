/** The forms of Incus's own `snapshots.schedule`: cron, aliases, `@startup`, or several of them with comma and space. */
import { own } from '../own.ts'
import { parseSchedule } from '../schedule/slots.ts'

/**
 * `cron`: when it has one at the latest, and `span` how long before that it may have it (milliseconds). `days`: the rest of
 * its own expression, after the minute, or minute and hour, that Incus chooses.
 */
export type Alias = { hourly?: true; days: string; cron: string; span: number }

export type Form = {
  /** In the server's own zone. */
  crons: string[]
  /** Incus chooses their minute, and mostly the hour, by the instance's number. */
  aliases: Alias[]
  startup: boolean
  /** Parts by which Incus never takes one, or which can't be read. */
  dead: { part: string; why: 'list' | 'unread' }[]
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

const ALIASES: Readonly<Record<string, Alias>> = {
  '@hourly': { hourly: true, days: '* * *', cron: '0 * * * *', span: HOUR },
  '@daily': { days: '* * *', cron: '0 0 * * *', span: DAY },
  '@midnight': { days: '* * *', cron: '0 1 * * *', span: HOUR },
  '@weekly': { days: '* * 0', cron: '0 0 * * 1', span: DAY },
  '@monthly': { days: '1 * *', cron: '0 0 2 * *', span: DAY },
  '@annually': { days: '1 1 *', cron: '0 0 2 1 *', span: DAY },
  '@yearly': { days: '1 1 *', cron: '0 0 2 1 *', span: DAY },
}

/** `@never` takes none. */
const isNever = (part: string): boolean => part === '' || part.toLowerCase() === '@never'

/**
 * As the daemon reads it: it checks a list by ", " and then splits it at each comma, so that a cron expression with
 * commas of its own never comes due in a list (6.0.4; the same in 7.3).
 */
export function readForm(schedule: string): Form {
  const form: Form = { crons: [], aliases: [], startup: false, dead: [] }
  const parts = schedule.split(', ').map((part) => part.trim())
  for (const part of parts) {
    const alias = own(ALIASES, part.toLowerCase())
    const parsed = part.startsWith('@') ? null : parseSchedule([part])
    if (isNever(part)) continue
    if (part.toLowerCase() === '@startup') form.startup = true
    else if (alias !== undefined) form.aliases.push(alias)
    else if (parsed?.ok !== true) form.dead.push({ part, why: 'unread' })
    else if (parts.length > 1 && part.includes(',')) form.dead.push({ part, why: 'list' })
    else form.crons.push(...parsed.value)
  }
  return form
}

/** Whether a name is one that `snapshots.pattern` gives; without a pattern `snap0`, `snap1`, … */
export function namedBy(pattern: string | undefined): (name: string) => boolean {
  const parts = (pattern ?? 'snap%d').split(/(\{\{.*?\}\}|%d)/)
  const text = parts.map((part) => {
    if (part === '%d') return '\\d+'
    return part.startsWith('{{') ? '.*' : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
  // A name that is taken gets a number.
  const wanted = new RegExp(`^${text.join('')}(-\\d+)?$`)
  return (name) => wanted.test(name)
}
