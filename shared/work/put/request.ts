/** Requests to restore files of a snapshot: whether that is possible now, and its plan. */
import { parsePath } from '../../incus/file-path.ts'
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { refuseFiles } from '../../plan/filed.ts'
import { type Found, findSubject } from '../../plan/find.ts'
import { driverOf, snapshotStandstill } from '../../plan/freezing.ts'
import { type Holder, holderOf } from '../../plan/holder.ts'
import type { Refusal } from '../../plan/plan.ts'
import { safetyExpiry } from '../../plan/safety.ts'
import { err, ok } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { type Answer, oneOf, type Requestable, type Requested } from '../kind.ts'
import { refuseEvidence } from '../restore/evidence.ts'
import { refuseSafety, safetyName } from '../restore/safety.ts'
import type { PutAction, PutRequest } from './action.ts'
import { isOver, PUT, type PutWork } from './entry.ts'
import { jobOf } from './steps.ts'

export const requestPut: Requestable<PutRequest> = {
  destructive: true,
  read: (given, reason) => {
    const one = oneOf('put', given)
    if (!one.ok) return one
    if (given.path === undefined) return err('put needs "path": of the file or folder')
    const path = parsePath(given.path)
    if (!path.ok) return path
    if (path.value === '/') return err('put takes a file or a folder: a restore brings all of it back')
    return ok({ do: 'put', ...one.value, path: path.value, from: given.from, reason })
  },
  plan: planRequested,
}

function planRequested(requested: Requested<PutRequest>): Answer | Refusal {
  const { request, world, now, found } = requested
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return instance.error
  const { key } = instance.value
  const unfinished = own(found.work, workKey(PUT, key)) as PutWork | null | undefined
  if (unfinished != null && !isOver(unfinished)) return underWay(key, unfinished, request)
  const holder = holderOf({ ...request, instance: key }, requested)
  if (!holder.ok) return holder.error
  const refusal = refuse(instance.value, holder.value, requested)
  if (refusal !== null) return refusal
  const action = actionOf(instance.value, holder.value, requested)
  return {
    actions: [action],
    work: { [workKey(PUT, key)]: entryOf(action, now) },
    wake: [minutesFrom(now, 1)],
  }
}

function refuse(found: Found, holder: Holder, requested: Requested<PutRequest>): Refusal | null {
  const { key } = found
  const { snapshot } = requested.request
  const { world } = requested
  const unfiled = refuseFiles({ ...found, of: key }, snapshot, world) ?? refuseFiles(holder, snapshot, world)
  if (unfiled !== null) return unfiled
  if (/\s/.test(snapshot))
    return {
      code: 'forbidden',
      reason: 'no files are restored from a snapshot with a space in its name: rename it first',
    }
  const busy = requested.found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  return (
    refuseSafety(found, requested.world) ??
    (holder.isCopy ? null : refuseEvidence(found, snapshot, requested))
  )
}

function underWay(key: string, { path, snapshot }: PutWork, wanted: PutRequest): Answer | Refusal {
  const reason = `${path} of ${snapshot} is being restored`
  return path === wanted.path && snapshot === wanted.snapshot
    ? { notes: [{ kind: 'wait', about: key, snapshot, reason }] }
    : { code: 'busy', reason: `${key}: ${reason}; try again when that has ended` }
}

function actionOf(
  { ref, key, record }: Found,
  holder: Holder,
  { request, world, now }: Requested<PutRequest>,
): PutAction {
  const name = safetyName(record, now)
  return {
    ...{ kind: 'put', ref, from: holder.ref, snapshot: request.snapshot, path: request.path },
    safety: { name, expiresAt: safetyExpiry(now, now), taken: false },
    standstill: snapshotStandstill(record, driverOf(world, ref.remote, record.pool), false),
    job: jobOf(key, name, 0),
    reason: request.reason,
  }
}

const entryOf = ({ from, snapshot, path, safety, job }: PutAction, now: Date): PutWork => ({
  ...{ state: 'started', from: subjectKey(from), snapshot, path, safety: safety.name, job },
  ...{ attempts: 0, at: now.toISOString() },
})
