/** A change to one policy of a document, as somebody types it into a form: keep, expiry and schedule. */
import { describeMisread, parseJsonc } from '../jsonc.ts'
import { own } from '../own.ts'
import { err, ok, type Result } from '../result.ts'

const CHANGED = ['schedule', 'keep', 'expiry'] as const
type Changed = (typeof CHANGED)[number]

/** The texts of the form; empty: the policy doesn't say it, so that a default holds. */
export type Change = { policy: string } & Record<Changed, string>

export const policiesIn = (document: unknown): string[] =>
  Object.keys(membersOf(membersOf(document).policies))

/** As the document says it. */
export function changeOf(document: unknown, policy: string): Change {
  const known = membersOf(own(membersOf(membersOf(document).policies), policy))
  return {
    policy,
    schedule: textOf(known.schedule),
    keep: textOf(known.keep),
    expiry: textOf(known.expiry),
  }
}

const textOf = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

/** The document with it; everything else stays. An error says which field can't be read. */
export function withChange(document: unknown, change: Change): Result<unknown, string> {
  const policies = membersOf(membersOf(document).policies)
  const before = own(policies, change.policy)
  if (before === undefined) return err(`there is no policy "${change.policy}" in what is applied`)
  const members = new Map(Object.entries(membersOf(before)))
  for (const name of CHANGED) {
    const value = given(name, change)
    if (!value.ok) return value
    if (value.value === undefined) members.delete(name)
    else members.set(name, value.value)
  }
  const changed = Object.entries(policies).map(([name, policy]) => [
    name,
    name === change.policy ? Object.fromEntries(members) : policy,
  ])
  return ok(
    Object.fromEntries(
      Object.entries(membersOf(document)).map(([name, value]) => [
        name,
        name === 'policies' ? Object.fromEntries(changed) : value,
      ]),
    ),
  )
}

function given(name: Changed, change: Change): Result<unknown, string> {
  const text = fieldOf(name, change).trim()
  if (text === '') return ok(undefined)
  // An expiry and a single schedule are typed as they are; null is none.
  if (name !== 'keep' && text !== 'null' && !text.startsWith('[')) return ok(text)
  const parsed = parseJsonc(text)
  return parsed.ok ? parsed : err(`${name}: ${describeMisread(parsed.error)}`)
}

const fieldOf = (name: Changed, { schedule, keep, expiry }: Change): string =>
  name === 'schedule' ? schedule : name === 'keep' ? keep : expiry

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
