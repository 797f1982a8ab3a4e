/**
 * The single values of `stapes.jsonc`. An `error` here is what was expected, in words; issues.ts makes the
 * sentence around it. Nothing is transformed: what gets through is what was written.
 */
import * as z from 'zod/mini'
import { parseExpiry } from '../incus/expiry.ts'
import { err, ok, type Result } from '../result.ts'
import { parseWithin } from '../retention/within.ts'
import { parseDuration } from '../schedule/duration.ts'
import { isTimezone, parseSchedule } from '../schedule/slots.ts'
import { NEVER } from './defaults.ts'

const text = (expected: string, pattern: RegExp) =>
  z.string({ error: expected }).check(z.regex(pattern, { error: expected }))

/** A text that has a parser: what it says travels in the issue's params, for it knows more than `expected`. */
export const parsed = (expected: string, parse: (value: string) => Result<unknown, string>) =>
  z.string({ error: expected }).check((check) => {
    const result = parse(check.value)
    if (result.ok) return
    const params = { sentence: result.error }
    check.issues.push({ code: 'custom', message: expected, input: check.value, params, continue: true })
  })

export const list = <Item extends z.ZodMiniType>(item: Item, expected: string) =>
  z.array(item, { error: expected }).check(z.minLength(1, { error: expected }))

/** What an editor shows beside the description. */
type Shown = {
  default?: unknown
  examples?: unknown[]
  pattern?: string
  propertyNames?: { pattern: string }
}

/** A schema of its own, with what it means: registered, not checked, so that parsing costs no more for it. */
export function described<Item extends z.ZodMiniType>(
  item: Item,
  description: string,
  shown: Shown = {},
): Item {
  z.globalRegistry.add(item, { description, ...shown })
  return item
}

/** A key that may be missing. */
export const may = <Item extends z.ZodMiniType>(item: Item, description: string, shown?: Shown) =>
  described(z.exactOptional(item), description, shown)

export const object = <Shape extends Record<string, z.ZodMiniType>>(shape: Shape, expected: string) =>
  z.strictObject(shape, { error: expected })

export const flag = z.boolean({ error: 'true or false' })

export const remote = text(
  'the name of a remote as the relay knows it, such as "main" (letters, digits, ".", "_", "-"; no wildcard)',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
)

export const project = text('the name of a project (no wildcard)', /^[^\s/*?]+$/)

export const word = text('a name without spaces or slashes', /^[^\s/]+$/)

export const pool = text('the name of a storage pool', /^[^\s/]+$/)

export const member = text(
  'the name of a cluster member, such as "n2", or of a group of members, such as "@backups"',
  /^@?[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
)

export const store = text(
  'the name of a store as the relay knows it, such as "nas" (lower-case letters, digits, "-")',
  /^[a-z0-9][a-z0-9-]{0,39}$/,
)

export const hook = text(
  'the name of a hook as the relay knows it, such as "db" (lower-case letters, digits, "-")',
  /^[a-z0-9][a-z0-9-]{0,39}$/,
)

export const projectGlob = text('a project name or glob, such as "default" or "*"', /^[^\s/]+$/)

export const instanceGlob = text(
  'an instance name or glob, such as "web*" (letters, digits, "-", and the wildcards "*" and "?")',
  /^[A-Za-z0-9*?-]+$/,
)

export const volumeGlob = text(
  '"attached", or a glob over pool and name of custom volumes, such as "default:db-*"',
  /^(attached|[^\s/:]+:[^\s/]+)$/,
)

export const bucketGlob = text(
  'a glob over pool and name of buckets, such as "default::pictures" or "*"',
  /^(\*|[^\s/:]+::[^\s/:]+)$/,
)

export const excludeGlob = text(
  'a glob over instance, project/instance or remote/project/instance, such as "main/default/tmp-*"',
  /^[^\s/]+(\/[^\s/]+){0,2}$/,
)

const CRON =
  'a cron expression of five fields, such as "0 3 * * *", or an alias, such as "@hourly" or "@daily"'
const cron = parsed(CRON, parseSchedule)

export const schedule = z.union([cron, list(cron, 'a list of at least one cron expression')], {
  error: `${CRON}; or a list of them`,
})

const ZONE = 'an IANA time zone, such as "Europe/Berlin"'
export const timezone = z.string({ error: ZONE }).check(z.refine(isTimezone, { error: ZONE }))

function orNone<T>(value: string, parse: (value: string) => Result<T, string>): Result<T | null, string> {
  const found = value === NEVER ? ok(null) : parse(value)
  return found.ok ? found : err(`${found.error} ("${NEVER}" for none)`)
}

export const duration = parsed('a span such as "90s", "10m", "6h" or "1d"', parseDuration)

export const durationOrNever = parsed(`a span such as "7d", or "${NEVER}"`, (value) =>
  orNone(value, parseDuration),
)

const COUNT = 'a whole number from -1 (all of them) to 100000'
export const count = z
  .int({ error: COUNT })
  .check(z.gte(-1, { error: COUNT }), z.lte(100_000, { error: COUNT }))

export const span = parsed('a span of years, months, days and hours, such as "2y5m7d3h"', parseWithin)

export const expiry = parsed(
  `an expiry of Incus, such as "30d" or "1w 3d" (S, M for minutes, H, d, w, m for months, y), or "${NEVER}"`,
  (value) => orNone(value, parseExpiry),
)
