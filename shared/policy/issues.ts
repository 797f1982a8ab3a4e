/** What is wrong with a document, as sentences that name the thing and what would be right. */
import type * as z from 'zod/mini'
import { copyFlag } from './copy-flags.ts'
import { nearest } from './nearest.ts'
import { isSecretAt } from './notify-schema.ts'
import { keysAt } from './schema.ts'

export type PolicyError = {
  /** Where: `policies.hourly.keep.daily`; empty for the document as a whole. */
  path: string
  expected: string
  found: string
  message: string
}

type Path = readonly PropertyKey[]

/** `hint`: what the expectation alone doesn't tell. */
export function problem(path: Path, expected: string, found: string, hint?: string): PolicyError {
  const more = hint === undefined ? '' : `: ${hint}`
  return sentence(path, expected, found, `expected ${expected}, got ${found}${more}`)
}

const sentence = (path: Path, expected: string, found: string, said: string): PolicyError => {
  const where = pathText(path)
  return { path: where, expected, found, message: `${where === '' ? 'the document' : where}: ${said}` }
}

/** One zod issue; several errors when it stands for several (unknown keys, the parts of an object). */
export function fromIssue(issue: z.core.$ZodIssue, base: Path = []): PolicyError[] {
  const path = [...base, ...issue.path]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
  if (issue.code === 'invalid_key') return [problem(path, keyProblem(issue), show(path.at(-1)))]
  if (issue.code === 'invalid_union') {
    // The branch of the right type says more than the union: its errors lie inside, not at the value itself.
    const inside = issue.errors.find((errors) =>
      errors.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'),
    )
    if (inside !== undefined) return inside.flatMap((one) => fromIssue(one, path))
  }
  const found = isSecretAt(path) ? 'something that is not shown here' : show(issue.input)
  return [sentence(path, issue.message, found, saidOf(issue, found))]
}

/** The sentence about a value: its parser's own, where it has one. */
export function saidOf(issue: z.core.$ZodIssue, found: string): string {
  const own: unknown = issue.code === 'custom' ? issue.params?.sentence : undefined
  return typeof own === 'string' ? own : `expected ${issue.message}, got ${found}`
}

const keyProblem = (issue: z.core.$ZodIssueInvalidKey): string => issue.issues[0]?.message ?? issue.message

function unknownKey(parent: Path, key: string): PolicyError {
  const known = keysAt(parent)
  const flag = parent.at(-1) === 'copy' ? copyFlag(key) : null
  const meant = nearest(key, known)
  const hint = flag ?? (meant === null ? `known here are ${known.join(', ')}` : `did you mean "${meant}"?`)
  return sentence([...parent, key], `one of ${known.join(', ')}`, show(key), `unknown key, ${hint}`)
}

/** `policies.hourly.schedule[1]`, `policies.gold.select.config["user.tier"]`. */
function pathText(path: Path): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`
      const name = String(key)
      if (!/^[\w$-]+$/.test(name)) return `[${JSON.stringify(name)}]`
      return index === 0 ? name : `.${name}`
    })
    .join('')
}

/** A value as it stands in the document, cut to what fits into a sentence. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const shown = JSON.stringify(value) ?? String(value)
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown
}
