/** Plans a request. Nothing else is done in such a run. */
import { merged } from '../own.ts'
import type { Covered } from '../policy/cover.ts'
import type { Approval } from '../policy/policy.ts'
import type { Answer } from '../work/kind.ts'
import { type Action, KINDS } from '../work/kinds.ts'
import { requestable, verbOf } from '../work/verbs.ts'
import type { PlanContext } from './context.ts'
import { type Found, gather } from './finding.ts'
import type { Note, Plan } from './plan.ts'
import { type AnyRequest, narrow, type Scope } from './request.ts'

export function decideRequested(
  context: PlanContext & { request: AnyRequest },
  inProgress: Found,
): Plan<Action> {
  const { request, ledger, now } = context
  const guards = () => gather([inProgress, ...KINDS.map(({ guard }) => guard?.(context, inProgress) ?? {})])
  const answer = requestable(request.do)?.plan({ ...context, found: inProgress, guards })
  if (answer === undefined) throw new Error(`no kind of work knows the request ${request.do}`)
  const refusal = 'code' in answer ? answer : null
  const parts: Answer = 'code' in answer ? {} : answer
  const actions = (parts.actions ?? []) as Action[]
  return {
    at: now.toISOString(),
    actions,
    notes: [...(refusal === null ? unreadableNotes(context) : []), ...(parts.notes ?? [])],
    slots: [...(parts.slots ?? [])],
    work: { ...parts.work },
    frozen: ledger.frozen ?? {},
    braked: parts.braked ?? ledger.sight?.braked ?? {},
    // What comes while the relay still refuses some of the allowed ones is a rotation.
    stalled: merged(
      Object.fromEntries(Object.keys(parts.allowed ?? {}).map((key) => [key, now.toISOString()])),
      ledger.sight?.stalled,
    ),
    allowed: merged(ledger.sight?.allowed, parts.allowed),
    sorted: parts.sorted ?? {},
    wake: [...(parts.wake ?? [])],
    requested: true,
    refusal,
    approval: approvalOf(actions, context),
  }
}

/** Unreadable remotes, for a request that names no instances; one that names some is refused instead. */
function unreadableNotes({ request, coverages }: PlanContext & { request: AnyRequest & Scope }): Note[] {
  if (request.instances !== undefined || requestable(request.do)?.reportsUnreadable !== true) return []
  return narrow(coverages, request).flatMap(({ unreadable }) =>
    unreadable.map(({ key, reason }): Note => ({ kind: 'problem', about: key, reason })),
  )
}

/** By the strictest policy that covers an instance which loses state. */
function approvalOf(actions: readonly Action[], { coverages }: Pick<PlanContext, 'coverages'>): Approval {
  const touched = new Set(
    actions.flatMap((action) => {
      const { destroys, subject } = verbOf(action)
      return destroys?.(action) === true ? [subject(action)] : []
    }),
  )
  const strict = ({ key, policy }: Covered) => policy.approval === 'second' && touched.has(key)
  return coverages.some(({ covered }) => covered.some(strict)) ? 'second' : 'self'
}
