/** Requests for a new instance from a snapshot: whether it can be made now, and its plan. */
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { findSubject } from '../../plan/find.ts'
import { refuseOwner } from '../../plan/installation.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import { OWNER } from '../../policy/marks.ts'
import { err, ok, type Result } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { type Answer, type Given, oneOf, type Requestable, type Requested } from '../kind.ts'
import { isEnded } from '../making.ts'
import { refuseEvidence } from '../restore/evidence.ts'
import type { BringBackRequest, CloneAction, CloneRequest } from './action.ts'
import { refuseCheck } from './check.ts'
import { CLONE, type CloneWork } from './entry.ts'
import { placeOf, refusePlace, transferModeOf, type Wanted } from './place.ts'
import { jobOf } from './steps.ts'

export const requestClone: Requestable<CloneRequest> = {
  destructive: false,
  read: readClone,
  plan: planRequested,
}

export const requestBringBack: Requestable<BringBackRequest> = {
  destructive: false,
  read: (given, reason) =>
    given.instance === undefined
      ? err('bring-back needs "instance"')
      : ok({ do: 'bring-back', instance: given.instance, ...placeIn(given), reason }),
  plan: planRequested,
}

function readClone(given: Given, reason: string): Result<CloneRequest, string> {
  const one = oneOf('clone', given)
  if (!one.ok) return one
  return given.as === undefined
    ? err('clone needs "as": the name of the new instance')
    : ok({ do: 'clone', ...one.value, as: given.as, ...placeIn(given), reason })
}

const placeIn = ({ remote, project, pool, from, start }: Given) => ({ remote, project, pool, from, start })

function planRequested(requested: Requested<CloneRequest | BringBackRequest>): Answer | Refusal {
  const { request, world, now, found } = requested
  const place = placeOf(request, requested)
  if (!place.ok) return place.error
  const wanted = place.value
  const key = subjectKey(wanted.to)
  const unfinished = own(found.work, workKey(CLONE, key)) as CloneWork | null | undefined
  if (unfinished != null && !isEnded(unfinished)) return underWay(key, unfinished, wanted)
  const refusal =
    refusePlace(wanted, world) ??
    refuseBusy(key, requested) ??
    refuseMove(wanted, requested) ??
    refuseData(requested, wanted) ??
    refuseCheck(requested)
  if (refusal !== null) return refusal
  const action = actionOf(wanted, requested)
  return {
    actions: [action],
    notes: warningsOf(requested, wanted),
    work: { [workKey(CLONE, key)]: entryOf(action, now) },
    wake: [minutesFrom(now, 1)],
  }
}

function underWay(key: string, { snapshot, from }: CloneWork, wanted: Wanted): Answer | Refusal {
  if (snapshot === wanted.snapshot && from === subjectKey(wanted.from))
    return {
      notes: [{ kind: 'wait', about: key, snapshot, reason: 'it is already being made from this snapshot' }],
    }
  return {
    code: 'busy',
    reason: `${key} is being made from ${snapshot} of ${from}: choose another name, or wait`,
  }
}

/** As while it is imported. */
function refuseBusy(key: string, { found }: Pick<Requested, 'found'>): Refusal | null {
  const busy = found.busy.get(key)
  return busy === undefined ? null : { code: 'busy', reason: `${key}: ${busy}; choose another name, or wait` }
}

/** The copy will follow what is brought back elsewhere, so it has to be ours. */
function refuseMove(
  { whole, of, to, record, from }: Wanted,
  { installation }: Pick<Requested, 'installation'>,
): Refusal | null {
  if (!whole || of === subjectKey(to)) return null
  const why = refuseOwner(record.own.includes(OWNER) ? record.config[OWNER] : '', installation)
  return why === null ? null : { code: 'not-ours', reason: why.replace('<copy>', from.instance) }
}

/** What is verified on a copy holds data; of others that has to be known. */
function refuseData(requested: Requested<CloneRequest | BringBackRequest>, wanted: Wanted): Refusal | null {
  const { found, world } = requested
  if (/\s/.test(wanted.snapshot))
    return {
      code: 'forbidden',
      reason: 'nothing is made from a snapshot with a space in its name: rename it first',
    }
  const key = subjectKey(wanted.from)
  if (key !== wanted.of) return null
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const original = findSubject(world, key)
  return original.ok ? refuseEvidence(original.value, wanted.snapshot, requested) : original.error
}

function warningsOf({ world }: Requested, { to, of, whole }: Wanted): Note[] {
  const { cloneCheck } = world
  const about = subjectKey(to)
  const warnings = cloneCheck === undefined || 'error' in cloneCheck ? [] : cloneCheck.warnings
  const [remote = ''] = of.split('/')
  const reply = own(world.remotes, remote)
  const elsewhere =
    whole && of !== about && reply?.ok !== true
      ? [
          `${remote} gives no answer, so it isn't known whether ${of} still runs there: from now on the copy follows ${about}`,
        ]
      : []
  return [...warnings, ...elsewhere].map((reason): Note => ({ kind: 'skip', about, reason }))
}

function actionOf(wanted: Wanted, { coverages, now, request }: Requested): CloneAction {
  const { from, snapshot, to, whole, start, pool, of } = wanted
  return {
    kind: 'clone',
    ...{ from, snapshot, to, whole, start, pool, of },
    transferMode: transferModeOf(wanted, coverages),
    job: jobOf(subjectKey(to), now.toISOString(), 0),
    reason: request.reason,
  }
}

const entryOf = (action: CloneAction, now: Date): CloneWork => ({
  state: 'started',
  from: subjectKey(action.from),
  of: action.of,
  snapshot: action.snapshot,
  whole: action.whole,
  start: action.start,
  ...(action.pool === null ? {} : { pool: action.pool }),
  transferMode: action.transferMode,
  began: now.toISOString(),
  job: action.job,
  attempts: 0,
  at: now.toISOString(),
})
