/** Requests to have Incus remove a snapshot later, or not at all by itself. */
import { expiresAt } from '../../incus/expiry.ts'
import { findSubject, missing } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'
import { parseSpan } from '../../plan/span.ts'
import { NEVER } from '../../policy/defaults.ts'
import { err, ok } from '../../result.ts'
import { type Answer, oneOf, type Requestable, type Requested } from '../kind.ts'
import { forWhole } from '../whole.ts'
import type { ProlongAction } from './action.ts'

/** `expiry`: of Incus's form, counted from now; null: never. */
export type ExpiryRequest = AnyRequest & { do: 'expiry'; expiry: string | null } & OneSnapshot

export const requestProlonging: Requestable<ExpiryRequest> = {
  destructive: false,
  read(given, reason) {
    const one = oneOf('expiry', given)
    if (!one.ok) return one
    if (given.expiry === undefined) return err(`expiry needs "expiry": "30d", or "${NEVER}"`)
    const expiry = parseSpan(given.expiry)
    return expiry.ok ? ok({ do: 'expiry', ...one.value, expiry: expiry.value, reason }) : expiry
  },
  plan: forWhole(planRequested),
}

function planRequested({ request, world, found, now }: Requested<ExpiryRequest>): Answer | Refusal {
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return instance.error
  const { key, ref } = instance.value
  const { snapshot, expiry, reason } = request
  const absent = missing(instance.value, snapshot)
  if (absent !== null) return absent
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const end = expiry === null ? null : expiresAt(expiry, now).toISOString()
  const action: ProlongAction = { kind: 'prolong', ref, snapshot, end, reason }
  return { actions: [action] }
}
