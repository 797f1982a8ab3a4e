/** Parses the text of a `user.stapes.*` key; all settings that may be overridden are here. */
import type * as z from 'zod/mini'
import { err, ok, type Result } from '../result.ts'
import type { Keep } from '../retention/keep.ts'
import * as field from './fields.ts'
import { saidOf, show } from './issues.ts'
import { keepSchema } from './keep-schema.ts'
import { nearest } from './nearest.ts'
import type { Policy } from './policy.ts'

export type OverrideValue =
  | { setting: 'policy'; value: string[] }
  | { setting: 'exclude' | 'paused' | 'copy'; value: boolean }
  | { setting: 'stateful'; value: boolean | 'possible' }
  | { setting: 'expiry'; value: string }
  | { setting: 'keep'; rule: keyof Keep; value: number | string }

/** `said`: the whole sentence, with what was found and what to do. */
export type BadValue = { expected: string; said: string }

const refuse = (expected: string, text: string, hint?: string): Result<never, BadValue> =>
  err({ expected, said: `expected ${expected}, got ${show(text)}${hint === undefined ? '' : `: ${hint}`}` })

const FLAGS = ['exclude', 'paused', 'stateful', 'copy'] as const
const RULES = Object.keys(keepSchema.shape) as (keyof Keep)[]

/** What may also be said for one policy alone. */
export const SCOPED: readonly string[] = [...FLAGS, 'expiry', ...RULES.map((rule) => `keep.${rule}`)]

/** `scope`: the policies it is about. */
export function parseOverrideValue(
  setting: string,
  text: string,
  scope: readonly Policy[],
): Result<OverrideValue, BadValue> {
  if (setting === 'policy') return parseNames(text, scope)
  if (setting === 'expiry') return checked(field.expiry, text, (value) => ({ setting, value }))
  const flag = FLAGS.find((one) => one === setting)
  if (flag !== undefined) return parseFlag(flag, text, scope)
  const rule = RULES.find((one) => setting === `keep.${one}`)
  if (rule === undefined) throw new Error(`no such override: ${setting}`)
  if (rule.startsWith('within'))
    return checked(field.span, text, (value) => ({ setting: 'keep', rule, value }))
  const number = /^-?\d{1,9}$/.test(text) ? Number(text) : text
  return checked(field.count, text, (value) => ({ setting: 'keep', rule, value }), number)
}

function checked<T>(
  schema: z.ZodMiniType<T>,
  text: string,
  value: (data: T) => OverrideValue,
  input: unknown = text,
): Result<OverrideValue, BadValue> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return ok(value(parsed.data))
  const [issue] = parsed.error.issues
  if (issue === undefined) throw new Error('a refusal without an issue')
  return err({ expected: issue.message, said: saidOf(issue, show(text)) })
}

function parseNames(text: string, policies: readonly Policy[]): Result<OverrideValue, BadValue> {
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  if (names.length === 1 && names[0] === 'none') return ok({ setting: 'policy', value: [] })
  const known = policies.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined && names.length > 0) return ok({ setting: 'policy', value: names })
  const meant = nearest(unknown ?? '', known)
  const hint = meant === null ? `there is no policy ${show(unknown ?? '')}` : `did you mean "${meant}"?`
  return refuse(`names of policies (${known.join(', ')}), or none`, text, hint)
}

function parseFlag(
  setting: (typeof FLAGS)[number],
  text: string,
  scope: readonly Policy[],
): Result<OverrideValue, BadValue> {
  const value = truth(text)
  if (setting === 'stateful' && text.toLowerCase() === 'possible') return ok({ setting, value: 'possible' })
  if (value === null)
    return refuse(setting === 'stateful' ? 'true, false or possible' : 'true or false', text)
  if (setting === 'copy' && value && scope.every(({ copy }) => copy === null)) {
    return refuse('false', text, 'no policy says where to copy to, so add "copy" to it in stapes.jsonc')
  }
  return ok({ setting, value })
}

/** Incus's own words for yes and no. */
function truth(text: string): boolean | null {
  const word = text.toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(word)) return true
  return ['false', '0', 'no', 'off'].includes(word) ? false : null
}
