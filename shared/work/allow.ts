/**
 * A request to do, once, what the brake holds back. Its plan lists exactly what goes, and somebody confirms that
 * plan by its digest.
 */
import { combine, gather } from '../plan/finding.ts'
import type { Note, Refusal } from '../plan/plan.ts'
import type { AllowRequest } from '../plan/request.ts'
import { refuseScope } from '../plan/scope.ts'
import { err, ok } from '../result.ts'
import type { Answer, Requestable, Requested } from './kind.ts'
import { KINDS } from './kinds.ts'

export const allow: Requestable<AllowRequest> = {
  destructive: true,
  reportsUnreadable: true,
  read: ({ policies, instances, snapshots }, reason) =>
    policies === undefined && instances === undefined
      ? err('allow needs "policies" or "instances"')
      : ok({ do: 'allow', policies, instances, snapshots, reason }),
  plan: planAllowed,
}

function planAllowed(requested: Requested<AllowRequest>): Answer | Refusal {
  const { request, coverages, world, ledger } = requested
  const refusal = refuseScope(request, coverages, world)
  if (refusal !== null) return refusal
  const answers = KINDS.flatMap(({ allow: of }) => of?.(requested) ?? [])
  const { actions, notes, work, allowed, wake } = gather([combine(answers)])
  const reasoned = actions.map((action) => ({ ...action, reason: `${action.reason} (${request.reason})` }))
  const nothing: Note = { kind: 'keep', about: 'the brake', reason: 'it holds nothing back there' }
  return {
    actions: reasoned,
    notes: reasoned.length + notes.length === 0 ? [nothing] : notes,
    work,
    allowed,
    wake,
    // What every kind that answers leaves of them.
    braked: Object.fromEntries(
      Object.entries(ledger.sight?.braked ?? {}).filter(([key]) =>
        answers.every(({ braked }) => braked === undefined || Object.hasOwn(braked, key)),
      ),
    ),
  }
}
