/** Requests to restore an instance or a custom volume to a snapshot: whether it is allowed now, and its plan. */

import { keyIn, kindIn, standsApart, subjectIn, type Work, workKey, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { type Found, findSubject, missing } from '../../plan/find.ts'
import { driverOf, snapshotStandstill } from '../../plan/freezing.ts'
import { operationOn } from '../../plan/operations.ts'
import { ownExpiry } from '../../plan/own-expiry.ts'
import type { Refusal } from '../../plan/plan.ts'
import { safetyExpiry } from '../../plan/safety.ts'
import { holdsOf } from '../../policy/marks.ts'
import { err, ok } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { type Answer, oneOf, type Requestable, type Requested } from '../kind.ts'
import { isLive, isPending } from '../life.ts'
import type { RestoreAction, RestoreRequest } from './action.ts'
import { refuseDiskOnly } from './disk-only.ts'
import { refuseDriver } from './driver.ts'
import { RESTORE, type RestoreWork } from './entry.ts'
import { refuseEvidence } from './evidence.ts'
import { runs } from './judge.ts'
import { isEnded } from './known.ts'
import { refuseMemory } from './memory.ts'
import { offerCopy } from './offer.ts'
import { heldOn, lastingMarks, refuseSafety, restoringOn, safetyName, wholeSafeties } from './safety.ts'
import { jobOf } from './steps.ts'
import { refuseUsers, usersOf } from './users.ts'

export const requestRestore: Requestable<RestoreRequest> = {
  destructive: true,
  read: (given, reason) => {
    const one = oneOf('restore', given)
    if (!one.ok) return one
    const { stateful, diskOnly } = given
    if (stateful === true && diskOnly === true)
      return err(
        'either with its memory or the disk alone: memory goes with the settings that it was saved with',
      )
    return ok({
      ...{ do: 'restore', ...one.value, reason },
      ...(stateful === true ? { stateful } : {}),
      ...(diskOnly === true ? { diskOnly } : {}),
    })
  },
  plan: planRequested,
}

function planRequested(requested: Requested<RestoreRequest>): Answer | Refusal {
  const { request, world, now, found } = requested
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return offerCopy(instance.error, requested)
  const { key } = instance.value
  const { snapshot } = request
  const unfinished = own(found.work, workKey(RESTORE, key)) as RestoreWork | null | undefined
  if (unfinished != null && !isEnded(unfinished)) return underWay(key, unfinished, snapshot)
  const absent = missing(instance.value, snapshot)
  if (absent !== null) return offerCopy(absent, requested)
  const refusal =
    refuseEvidence(instance.value, snapshot, requested) ??
    refuseDriver(instance.value, snapshot, world) ??
    refuseMemory(instance.value, request, world) ??
    refuseDiskOnly(instance.value, request, world) ??
    refuseSafety(instance.value, world) ??
    refuseUsers(instance.value, requested) ??
    refuseBusy(instance.value, requested)
  if (refusal !== null) return refusal
  const action = actionOf(instance.value, requested)
  return {
    actions: [action],
    work: {
      [workKey(RESTORE, key)]: {
        ...entryOf(action, now),
        ...(isMixture(instance.value.record) ? { touched: true } : {}),
      },
    },
    wake: [minutesFrom(now, 1)],
  }
}

/** Of a volume: a restore that failed may have left its data partly old and partly new. */
function isMixture(record: Found['record']): boolean {
  const mark = record.type === 'volume' ? restoringOn(record) : null
  return mark?.writing === true && !wholeSafeties(record).includes(mark.safety)
}

const entryOf = (
  { snapshot, safety, running, stateful, diskOnly, holds, expiresAt, users, job }: RestoreAction,
  now: Date,
): RestoreWork => ({
  state: 'started',
  snapshot,
  safety: safety.name,
  running,
  ...(stateful ? { stateful: true } : {}),
  ...(diskOnly ? { diskOnly } : {}),
  holds,
  ...(expiresAt === null ? {} : { expiresAt }),
  ...(users.length === 0 ? {} : { users: [...users] }),
  job,
  attempts: 0,
  at: now.toISOString(),
})

function underWay(key: string, { snapshot }: RestoreWork, wanted: string): Answer | Refusal {
  if (snapshot === wanted)
    return {
      notes: [
        { kind: 'wait', about: key, snapshot, reason: 'it is already being restored to this snapshot' },
      ],
    }
  return { code: 'busy', reason: `${key} is being restored to ${snapshot}: wait until that has ended` }
}

function refuseBusy(
  { key, ref, record }: Found,
  { world, ledger, now }: Requested<RestoreRequest>,
): Refusal | null {
  const busy = (what: string): Refusal => ({
    code: 'busy',
    reason: `${key}: ${what}; try again when that has ended`,
  })
  const job = world.jobs.find((one) => isLive(one) && isOn(key, workOfJob(one.id)))
  if (job !== undefined) {
    const progress = job.progress === undefined ? '' : ` (${job.progress})`
    return busy(`a ${kindIn(workOfJob(job.id) ?? '')} of it is ${job.state}${progress}`)
  }
  const noted = Object.entries(ledger.work).find(
    ([one, entry]) => isOn(key, one) && isPending(entry) && isFresh(entry, now),
  )?.[0]
  if (noted !== undefined) return busy(`a ${kindIn(noted)} of it is in progress (${keyIn(noted)})`)
  const remote = own(world.remotes, ref.remote)
  const operation = operationOn(world, key, remote?.ok === true ? remote.inventory.operations : [])
  if (operation !== null) return busy(`an operation runs on it (${operation})`)
  if (record.type === 'volume') return null
  return runs(record.status) || record.status === 'Stopped' ? null : busy(`it is ${record.status}`)
}

const DAY = 86_400_000

/** Work that wasn't observed running for a day isn't waited for: perhaps only a later version knows it. */
const isFresh = ({ at }: Work, now: Date): boolean => now.getTime() - Date.parse(at) < DAY

/** Long work of another kind on the same subject. */
const isOn = (key: string, work: string | null): boolean =>
  work !== null && kindIn(work) !== RESTORE && !standsApart(work) && subjectIn(work) === key

function actionOf(found: Found, requested: Requested<RestoreRequest>): RestoreAction {
  const { ref, key, record } = found
  const { request, world, now } = requested
  const { snapshot, stateful = false, diskOnly } = request
  const held = holdsOf(record).has(snapshot)
  const name = safetyName(record, now)
  const isVolume = record.type === 'volume'
  return {
    kind: 'restore',
    ref,
    snapshot,
    safety: { name, expiresAt: safetyExpiry(now, now), taken: false },
    standstill: isVolume ? null : snapshotStandstill(record, driverOf(world, ref.remote, record.pool), false),
    partial: null,
    restored: false,
    running: stateful || (!isVolume && runs(record.status)),
    stateful,
    ...(diskOnly === true ? { diskOnly } : {}),
    // A volume keeps its config.
    holds: isVolume ? {} : lastingMarks(record),
    held: heldOn(record),
    expiresAt: held ? null : ownExpiry(found, snapshot, requested),
    users: isVolume ? usersOf(found, world) : [],
    job: jobOf(key, name, 0),
    reason: request.reason,
  }
}
