/** Looks up in the list of kinds what an action, a request or long work is. */
import { kindIn, type Work } from '../ledger/work.ts'
import { own } from '../own.ts'
import type { AnyAction, Plan } from '../plan/plan.ts'
import type { AnyRequest } from '../plan/request.ts'
import { allow } from './allow.ts'
import type { Count, Long, Requestable, Verb } from './kind.ts'
import { KINDS } from './kinds.ts'

const VERBS: Record<string, Verb<AnyAction>> = Object.assign({}, ...KINDS.map(({ verbs }) => verbs))
const REQUESTS: Record<string, Requestable<AnyRequest>> = Object.assign(
  { allow },
  ...KINDS.map(({ requests }) => requests),
)
const LONG: Record<string, Long<Work>> = Object.fromEntries(
  KINDS.flatMap(({ name, long }) => (long === undefined ? [] : [[name, long]])),
)

export function verbOf(action: AnyAction): Verb<AnyAction> {
  const verb = own(VERBS, action.kind)
  if (verb === undefined) throw new Error(`no kind of work knows the action ${action.kind}`)
  return verb
}

/** The actions that it stands for; mostly itself. */
export const partsOf = (action: AnyAction): readonly AnyAction[] => verbOf(action).parts?.(action) ?? [action]

/** Keys of all subjects that it changes. */
export const subjectsOf = (action: AnyAction): string[] =>
  partsOf(action).map((part) => verbOf(part).subject(part))

export const requestable = (what: string): Requestable<AnyRequest> | undefined => own(REQUESTS, what)

/** All requests, by name. */
export const REQUESTABLE = Object.keys(REQUESTS) as [string, ...string[]]

/** It loses data, so its plan has to be confirmed. */
export const isDestructive = ({ do: what }: Pick<AnyRequest, 'do'>): boolean =>
  requestable(what)?.destructive === true

/** By the kind in its key; undefined: only a later version knows that kind. */
export const longOf = (workKey: string): Long<Work> | undefined => own(LONG, kindIn(workKey))

/** All kinds whose work is long. */
export const LONG_KINDS: readonly { name: string; long: Long<Work> }[] = Object.entries(LONG).map(
  ([name, long]) => ({ name, long }),
)

/** Keys of the subjects that a plan changes or stops, or makes others from: sources, never the copies that follow them. */
export const touchedBy = ({ actions }: Pick<Plan, 'actions'>): string[] => [
  ...new Set(
    actions.flatMap((action) => {
      const { reads, stops } = verbOf(action)
      return [
        ...subjectsOf(action),
        ...(reads === undefined ? [] : [reads(action)]),
        ...(stops?.(action) ?? []),
      ]
    }),
  ),
]

/** Keys of the long work that a plan starts. */
export const startsOf = ({ actions }: Pick<Plan, 'actions'>): string[] =>
  actions.flatMap((action) => verbOf(action).begins?.(action) ?? [])

/** All that a run's record counts, as the kinds are listed. */
export const COUNTS: readonly Count[] = Object.values(VERBS).flatMap(({ counts }) => counts ?? [])
