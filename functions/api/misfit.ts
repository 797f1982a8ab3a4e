/** What is wrong with a request's body, as sentences that say what would be right. */
import type * as z from 'zod/mini'
import { nearest } from '../../shared/policy/nearest.ts'

/** Without the values, which may be secret. `known`: the keys that the body may have. */
export function misfit(issue: z.core.$ZodIssue, known: readonly string[]): string {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(key, issue.path.length === 0 ? known : [])).join(', ')
  // A schema's own words are what was expected.
  if (issue.message !== UNSAID) return `expected ${issue.message}`
  switch (issue.code) {
    case 'invalid_value':
      return `expected ${oneOf(issue.values.map(String))}`
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? 'it is empty'
        : `expected at least ${issue.minimum}`
    case 'too_big':
      return `expected at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'expected a date with its time and zone, such as 2026-11-22T03:00:00Z'
        : `expected the form ${issue.format}`
    default:
      return issue.message
  }
}

/** What zod says without a locale. */
const UNSAID = 'Invalid input'

/** To parse with, so that it says no more where the process has loaded a locale for something else. */
export const WORDLESS = { error: (): string => UNSAID }

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known)
  const hint =
    meant !== null ? `; did you mean "${meant}"?` : known.length > 0 ? `; known are ${known.join(', ')}` : ''
  return `unknown key ${JSON.stringify(key)}${hint}`
}

const oneOf = (values: readonly string[]): string =>
  values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`
