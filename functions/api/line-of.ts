/** A request over the API as one would type it in chat, except that several policies may be named: for its record. */
import { commands } from '../../shared/command/commands.ts'
import { namesOfGiven } from '../../shared/command/given.ts'
import { renderLine } from '../../shared/command/line.ts'
import { own } from '../../shared/own.ts'
import { Secret } from '../../shared/secret.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'

export function lineOf(request: BackupRequest): string {
  const { do: what, reason: __, ...rest } = request
  const fields = Object.entries(rest).flatMap(([key, value]): [string, Field][] =>
    key === 'config' ? Object.entries(value) : key === 'given' ? namesOfGiven(value) : [[key, value]],
  )
  const values = fields.flatMap(([key, value]): [string, string][] =>
    value === undefined || value instanceof Secret
      ? []
      : [value === 0 ? AT_ONCE : [own(NAMES, `${what} ${key}`) ?? own(NAMES, key) ?? key, wordsOf(value)]],
  )
  const command = commands.find((one) => one.kind === 'change' && one.does === what)
  return command === undefined ? what : renderLine(command, Object.fromEntries(values)).slice(0, 300)
}

type Field = string | boolean | number | readonly string[] | null | undefined | Secret

/** Null: something never ends. An empty text unsets something. */
function wordsOf(value: Exclude<Field, undefined | Secret>): string {
  if (value === null) return 'never'
  if (value === 'true' || value === true) return 'yes'
  if (value === 'false' || value === false) return 'no'
  if (typeof value === 'string') return value === '' ? 'none' : value
  return typeof value === 'number' ? `${value}s` : value.join(' ')
}

/** How a command says that there is no grace. */
const AT_ONCE: [string, string] = ['now', 'yes']

/** Parameters that have another name in commands. */
const NAMES: Record<string, string> = {
  policies: 'policy',
  snapshots: 'snapshot',
  'snapshot name': 'as',
  'rename to': 'as',
  'expiry expiry': 'in',
  diskOnly: 'disk-only',
  'snapshots.schedule': 'schedule',
  'snapshots.schedule.stopped': 'stopped',
  'snapshots.pattern': 'pattern',
  'snapshots.expiry': 'expiry',
  'snapshots.expiry.manual': 'manual-expiry',
}
