/** Requests to take back a removal that Incus has yet to execute. */
import { parseSnapshotName } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import { findSubject, missing } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'
import { parseUndo, UNDO } from '../../policy/marks.ts'
import { ok } from '../../result.ts'
import { type Answer, oneOf, type Requestable, type Requested } from '../kind.ts'
import { forWhole } from '../whole.ts'
import type { UndoAction } from './action.ts'

export type UndoRequest = AnyRequest & { do: 'undo' } & OneSnapshot

export const requestUndo: Requestable<UndoRequest> = {
  destructive: false,
  read(given, reason) {
    const one = oneOf('undo', given)
    return one.ok ? ok({ do: 'undo', ...one.value, reason }) : one
  },
  plan: forWhole(planRequested),
}

/** Also past its date: Incus removes what has expired once a minute, and not while it is down. */
function planRequested({ request, world, found, coverages }: Requested<UndoRequest>): Answer | Refusal {
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return instance.error
  const { key, ref, record } = instance.value
  const { snapshot } = request
  const absent = missing(instance.value, snapshot)
  if (absent !== null) return absent
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const name = `${UNDO}${snapshot}`
  const mark = record.own.includes(name) ? parseUndo(own(record.config, name) ?? '') : null
  if (mark === null)
    return {
      notes: [
        { kind: 'keep', about: key, snapshot, reason: 'nobody has removed it, so there is nothing to undo' },
      ],
    }
  const policy = parseSnapshotName(snapshot)?.policy
  const isBySchedule = coverages.some(({ covered }) =>
    covered.some((one) => one.key === key && one.policy.name === policy && (one.policy.grace ?? 0) > 0),
  )
  const hint = isBySchedule ? `; hold it, if ${policy} is not to remove it again at its next slot` : ''
  const reason = `its removal is taken back: ${request.reason}${hint}`
  const action: UndoAction = { kind: 'unexpire', ref, snapshot, reason }
  return { actions: [action] }
}
