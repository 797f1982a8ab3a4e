/** The job of a restore in place, whose end later ticks see: by its report, or by the marks it leaves. */

import { request } from '../../incus/routes.ts'
import { NEVER } from '../../incus/source.ts'
import { subjectKey } from '../../incus/subject.ts'
import { familyOf, workKey } from '../../ledger/work.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import { expireStep, markStep, setExpiry, startStep, where } from '../../plan/steps.ts'
import { RESTORED, RESTORING } from '../../policy/marks.ts'
import type { Step } from '../../relay/protocol.ts'
import type { RestoreAction, StartAction, UndoAction } from './action.ts'
import { RESTORE } from './entry.ts'
import { renderRestoring } from './mark.ts'
import { wordsOf } from './safety.ts'

/** A full copy on pools without cheap snapshots takes as long as it takes. */
const RESTORE_WAIT = 86_400
const SAFETY_WAIT = 86_400

/** What makes up for a lost ledger. */
export type RestoreMemo = Pick<RestoreAction, 'snapshot' | 'running' | 'stateful' | 'holds'> & {
  safety: string
}

/** It shares the lock of copies, and nothing else is done to the instance while it lives. */
export function restoreJob(action: RestoreAction): PlannedJob {
  const { ref, snapshot, safety, running, stateful, holds, job: id } = action
  const key = subjectKey(ref)
  const memo: RestoreMemo = { snapshot, safety: safety.name, running, stateful, holds }
  const steps = [...(action.restored ? [] : dataSteps(action)), lastStep(action)]
  return {
    job: { id, family: familyOf(workKey(RESTORE, key)), lock: key, detach: true, memo, steps },
    parts: [action],
  }
}

/** Id of the job that restores it, with that safety snapshot and after so many failed tries. */
export const jobOf = (instance: string, safety: string, attempts: number): string =>
  `${familyOf(workKey(RESTORE, instance))}:${safety}#${attempts}`

function dataSteps(action: RestoreAction): Step[] {
  const { ref, snapshot, safety, running, stateful, expiresAt, held } = action
  const { parameters, query } = where(ref)
  const putOff = [
    ...held.map((name) => setExpiry(ref, name, NEVER)),
    ...(expiresAt === null ? [] : [setExpiry(ref, snapshot, expiresAt)]),
  ]
  const mark = (taken: boolean): Step =>
    markStep(ref, {
      [RESTORING]: renderRestoring({ snapshot, safety: safety.name, running, stateful, taken }),
    })
  const body = { restore: snapshot, stateful }
  const restore: Step = {
    remote: ref.remote,
    wait: RESTORE_WAIT,
    ...request('restoreInstance', parameters, query, body),
  }
  return [...putOff, ...(safety.taken ? [] : takeSafety(action, mark(false))), mark(true), restore]
}

function takeSafety({ ref, safety, partial }: RestoreAction, mark: Step): Step[] {
  const { parameters, query } = where(ref)
  const body = { name: safety.name, stateful: false, expires_at: safety.expiresAt ?? NEVER }
  const create: Step = {
    remote: ref.remote,
    wait: SAFETY_WAIT,
    ...request('createSnapshot', parameters, query, body),
  }
  return [...(partial === null ? [] : [expireStep({ ref, snapshot: partial })]), mark, create]
}

/** The snapshot's config lacks what was marked since; and a safety snapshot's has the mark of its own restore. */
const lastStep = ({ ref, safety, holds }: RestoreAction): Step =>
  markStep(ref, {
    ...holds,
    [RESTORING]: '',
    [RESTORED]: [safety.name, ...wordsOf(holds[RESTORED])].join(' '),
  })

export const startSteps = ({ ref }: StartAction): Step[] => [startStep(ref, 'start')]

/** Removes the mark, and starts the instance if Incus stopped it for the restore. */
export const undoSteps = ({ ref, safeties, start }: UndoAction): Step[] => [
  markStep(ref, { [RESTORING]: '', [RESTORED]: safeties.join(' ') }),
  ...(start ? [startStep(ref, 'start')] : []),
]
