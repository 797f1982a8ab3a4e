/** The job of a restore in place, whose end later ticks see: by its report, or by the marks it leaves. */
import { instanceKey } from '../incus/inventory.ts'
import { request } from '../incus/routes.ts'
import { NEVER } from '../incus/source.ts'
import { RESTORED, RESTORING } from '../policy/marks.ts'
import type { Step } from '../relay/protocol.ts'
import { expireStep, markStep, setExpiry, type Work, where } from './jobs.ts'
import type { RestoreAction } from './plan.ts'
import { renderRestoring } from './restoring.ts'
import { wordsOf } from './safety.ts'

/** A full copy on pools without cheap snapshots takes as long as it takes. */
const RESTORE_WAIT = 86_400
const SAFETY_WAIT = 86_400

/** What makes up for a lost ledger. */
export type RestoreMemo = Pick<RestoreAction, 'snapshot' | 'running' | 'stateful' | 'holds'> & {
  safety: string
}

/** It shares the lock of copies, and nothing else is done to the instance while it lives. */
export function restoreWork(action: RestoreAction): Work {
  const { ref, snapshot, safety, running, stateful, holds, job: id } = action
  const key = instanceKey(ref)
  const memo: RestoreMemo = { snapshot, safety: safety.name, running, stateful, holds }
  const steps = [...(action.restored ? [] : dataSteps(action)), lastStep(action)]
  return { job: { id, family: familyOf(key), lock: key, detach: true, memo, steps }, parts: [action] }
}

export const familyOf = (instance: string): string => `restore ${instance}`

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

function takeSafety({ ref, safety, half }: RestoreAction, mark: Step): Step[] {
  const { parameters, query } = where(ref)
  const body = { name: safety.name, stateful: false, expires_at: safety.expiresAt ?? NEVER }
  const create: Step = {
    remote: ref.remote,
    wait: SAFETY_WAIT,
    ...request('createSnapshot', parameters, query, body),
  }
  return [...(half === null ? [] : [expireStep({ ref, snapshot: half })]), mark, create]
}

/** The snapshot's config lacks what was marked since; and a safety snapshot's has the mark of its own restore. */
const lastStep = ({ ref, safety, holds }: RestoreAction): Step =>
  markStep(ref, {
    ...holds,
    [RESTORING]: '',
    [RESTORED]: [safety.name, ...wordsOf(holds[RESTORED])].join(' '),
  })
