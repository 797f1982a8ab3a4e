/** What is set of Incus's own schedule, checked before anything is sent: Incus looks at most of it only when one is due. */
import { parseExpiry } from '../incus/expiry.ts'
import { own } from '../own.ts'
import { NEVER } from '../policy/defaults.ts'
import { err, ok, type Result } from '../result.ts'
import { readForm } from './form.ts'

/** Incus's own keys. */
export const OWN_KEYS = [
  'snapshots.schedule',
  'snapshots.schedule.stopped',
  'snapshots.pattern',
  'snapshots.expiry',
  'snapshots.expiry.manual',
] as const
type OwnKey = (typeof OWN_KEYS)[number]

/** Empty: unset on the instance itself, so that its profiles' holds. */
export type OwnConfig = Partial<Record<OwnKey, string>>

type Given = {
  schedule?: string | undefined
  stopped?: boolean | undefined
  pattern?: string | undefined
  expiry?: string | undefined
  manualExpiry?: string | undefined
}

/** What unsets a value. */
const NONE = 'none'

const refuseExpiry = (text: string): string | null => {
  const parsed = text === NEVER ? ok(null) : parseExpiry(text)
  return parsed.ok ? null : `expiry: ${parsed.error} ("${NONE}" for none)`
}

const PARSERS: readonly [OwnKey, (given: Given) => string | undefined, (text: string) => string | null][] = [
  ['snapshots.schedule', ({ schedule }) => schedule?.trim(), refuseSchedule],
  [
    'snapshots.schedule.stopped',
    ({ stopped }) => (stopped === undefined ? undefined : `${stopped}`),
    () => null,
  ],
  ['snapshots.pattern', ({ pattern }) => pattern, refusePattern],
  ['snapshots.expiry', ({ expiry }) => expiry, refuseExpiry],
  ['snapshots.expiry.manual', ({ manualExpiry }) => manualExpiry, refuseExpiry],
]

/** Refused before anything is sent: Incus itself would look at most of it only when a snapshot is due. */
export function configOf(given: Given): Result<OwnConfig, string> {
  const config = new Map<OwnKey, string>()
  for (const [key, take, refuse] of PARSERS) {
    const value = take(given)
    if (value === undefined) continue
    const isUnset = value === NONE || value === ''
    const why = isUnset ? null : refuse(value)
    if (why !== null) return err(why)
    const isNever = value === NEVER && key.startsWith('snapshots.expiry')
    config.set(key, isUnset || isNever ? '' : value)
  }
  return ok(Object.fromEntries(config))
}

function refuseSchedule(text: string): string | null {
  const [dead] = readForm(text).dead
  if (dead === undefined) return null
  const why =
    dead.why === 'list'
      ? 'Incus splits a list at each comma, so that this part would never come due: write it without commas, or by itself'
      : 'expected five fields as "0 3 * * *", or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @startup or @never; several with a comma and a space'
  return `schedule: "${dead.part}": ${why}`
}

/** What a name can't have, and what stapes would take for a name of its own and remove by its rules. */
function refusePattern(text: string): string | null {
  const plain = text.replace(/\{\{.*?\}\}/g, '')
  if ((text.match(/%d/g) ?? []).length > 1) return 'pattern: Incus takes "%d" only once'
  if (/[/?&+\s\\]|%(?!d)/.test(plain))
    return `pattern: "${text}" has characters that no name of a snapshot may have`
  if (/\{\{\s*creation_date\s*\}\}/.test(text))
    return "pattern: a bare {{creation_date}} has characters that no name may have: {{creation_date|date:'2006-01-02_15-04-05'}}"
  // What a filter makes of it can't be told beforehand.
  const others = text.replace(DATE, '')
  if (/[{}]/.test(others))
    return "pattern: of Incus's templates it takes {{creation_date|date:'2006-01-02_15-04-05'}} alone, without other filters"
  // In whichever parts: each form of a date stands for itself, and "%d" for a number of any length.
  const example = text.replace(DATE, (_, single?: string, double?: string) => single ?? double ?? '')
  return LENGTHS.some((length) => OURS.test(example.replace('%d', '0'.repeat(length))))
    ? 'pattern: such names are those of stapes, which would count and remove these snapshots by its own rules'
    : null
}

const DATE = /\{\{\s*creation_date\s*\|\s*date\s*:\s*(?:'([^'{}]*)'|"([^"{}]*)")\s*\}\}/g
const LENGTHS = Array.from({ length: 12 }, (_, at) => at + 1)
/** Characters that no name may have aside, as they are refused. */
const OURS = /\d{8}T\d{4}Z/

/** The same of values that are ready to be set; null: they may be. */
export function refuseConfig(config: OwnConfig): string | null {
  for (const [key, , refuse] of PARSERS) {
    const value = own(config, key) ?? ''
    const why = value === '' ? null : refuse(value)
    if (why !== null) return why
  }
  return null
}
