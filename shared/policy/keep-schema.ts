/** The shape of a `keep` in `stapes.jsonc`: restic's rules of retention. */
import * as field from './fields.ts'

const { may, object } = field

const count = (what: string) => may(field.count, `${what} -1 keeps all of them; 0 means no rule.`)

const span = (what: string) =>
  may(field.span, `${what} that is younger than this span, counted back from the newest one.`, {
    examples: ['2y5m7d3h', '14d'],
  })

export const keepSchema = object(
  {
    last: count('This many of the newest.'),
    hourly: count('The newest of each hour, for this many hours.'),
    daily: count('The newest of each day, for this many days.'),
    weekly: count('The newest of each ISO week, for this many weeks.'),
    monthly: count('The newest of each month, for this many months.'),
    yearly: count('The newest of each year, for this many years.'),
    within: span('Everything'),
    withinHourly: span('The newest of each hour'),
    withinDaily: span('The newest of each day'),
    withinWeekly: span('The newest of each ISO week'),
    withinMonthly: span('The newest of each month'),
    withinYearly: span('The newest of each year'),
  },
  'an object of rules, such as { "daily": 7 }',
)

/** A key that holds one. `one`: of what it keeps. */
export const mayKeep = (what: string, one = 'A snapshot') =>
  may(
    keepSchema,
    `${what} ${one} stays if any rule keeps it. Periods without ${one.toLowerCase()} don't count. Without a rule, everything stays.`,
    { examples: [{ hourly: 24, daily: 7, weekly: 4 }] },
  )
