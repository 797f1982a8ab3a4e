/** The end of a new instance: its settings, its start, and its mark goes last; or it goes as a whole. All of it can be done again. */
import { type InstanceRef, instanceOf, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { MAKING, REPLICA_OF } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { CloneStep, Cloning, FinishCloneStep, RemoveCloneStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { type Making, renderMaking } from '../../../shared/work/clone/mark.ts'
import type { Call } from '../calls.ts'
import { writingTo } from '../guard-operation.ts'
import { refused } from '../rules.ts'
import { replicaOf } from '../sightings.ts'
import { deleteSubjectRequest } from '../subject-requests.ts'
import { lastingConfig, strayMarks } from './clone-body.ts'
import { type Original, readThere, type There } from './clone-reads.ts'
import { markCall, STEP_WAIT, stateCall } from './requests.ts'
import type { Planned, PlanStep, StepIo } from './step-io.ts'

/** Of a volume that comes from another server: Incus sends all of it. */
export const isSent = ({ from, to }: Pick<Cloning, 'from' | 'to'>): boolean =>
  volumeIn(to.instance) !== null && from.remote !== to.remote

export function markOf(cloning: Cloning, made: boolean, { seal }: Pick<StepIo, 'seal'>): string {
  const { from, to, snapshot, start } = cloning
  const whole = cloning.whole || isSent(cloning)
  const followed = cloning.whole ? subjectKey(from) : null
  return seal.put(to, renderMaking({ ...{ snapshot, imported: false, whole, start, made }, from: followed }))
}

/** Its own settings come with the mark that it is whole. */
export async function finishing(
  step: CloneStep,
  { details }: Original,
  io: StepIo,
): Promise<Result<Planned, CallError>> {
  return finishingWith(step, lastingConfig(step, details), markOf(step, true, io), io)
}

/** `mark`: that it is whole. */
export function finishingWith(
  { to, start }: Pick<Cloning, 'to' | 'start'>,
  lasting: Record<string, string>,
  mark: string,
  io: StepIo,
): Result<Planned, CallError> {
  return ok({
    calls: [markCall(to, { ...lasting, [MAKING]: mark })],
    next: async () => {
      const there = await ownOf(to, `finish ${subjectKey(to)}`, io)
      return there.ok ? ending(to, there.value, start, io) : there
    },
  })
}

export const planFinishClone: PlanStep<FinishCloneStep> = async ({ ref, start }, io, job) => {
  const what = `finish ${subjectKey(ref)}`
  const busy = io.busy.begin(job, subjectKey(ref), 'receives')
  if (busy !== null) return err(busy)
  const there = await ownOf(ref, what, io)
  if (!there.ok) return there
  const { making, isUntouched } = there.value
  if (!making.made) return err(refused(what, 'its data may be partial'))
  return ending(ref, there.value, start && making.start && isUntouched, io)
}

async function ending(
  ref: InstanceRef,
  { making, since, config }: Own,
  starts: boolean,
  io: StepIo,
): Promise<Result<Planned, CallError>> {
  const moved = await followed(ref, making, io)
  if (!moved.ok) return moved
  const calls = [...(starts ? [stateCall(ref, 'start')] : []), ...moved.value]
  const next = async (): Promise<Result<Planned, CallError>> => {
    io.journal.noteMade(subjectKey(ref), { since, mark: '' })
    return ok({
      calls: [markCall(ref, { ...strayMarks(config), [MAKING]: '' })],
      done: () => io.sightings.forget(ref),
    })
  }
  return ok({ calls, next })
}

/** Its policies go on where it is now, and refresh its copy from there. */
async function followed(ref: InstanceRef, { from }: Making, io: StepIo): Promise<Result<Call[], CallError>> {
  if (from === null) return ok([])
  const copy = instanceOf(from)
  const seen = await io.sightings.read(copy)
  if (!seen.ok) return seen.error.status === 404 ? ok([]) : seen
  const of = replicaOf(seen.value)
  io.sightings.forget(copy)
  // What somebody has made of it meanwhile is no copy any more.
  return ok(of === '' || of === subjectKey(ref) ? [] : [markCall(copy, { [REPLICA_OF]: subjectKey(ref) })])
}

export const planRemoveClone: PlanStep<RemoveCloneStep> = async ({ ref }, io, job) => {
  const what = `remove ${subjectKey(ref)}`
  const busy = io.busy.begin(job, subjectKey(ref), 'receives')
  if (busy !== null) return err(busy)
  const there = await ownOf(ref, what, io)
  if (!there.ok) return there
  const why = againstRemovalOf(there.value)
  if (why !== null) return err(refused(what, why))
  const writing = await writingTo(ref, io)
  return writing === null ? ok({ calls: [deleteCall(ref)] }) : err(writing)
}

export function againstRemovalOf({ making, isUntouched, used = 'somebody uses it' }: There): string | null {
  if (making === null) return 'it was not made by this relay just now'
  if (making.made) return 'it is whole'
  return isUntouched ? null : used
}

type Own = There & { making: Making; since: number }

/** What has the relay's own mark, or is known by its journal. */
export async function ownOf(ref: InstanceRef, what: string, io: StepIo): Promise<Result<Own, CallError>> {
  const there = await readThere(ref, io)
  if (!there.ok) return there
  const { making = null, since = null } = there.value ?? {}
  return there.value === null || making === null || since === null
    ? err(refused(what, 'it has no mark of this relay'))
    : ok({ ...there.value, making, since })
}

export function deleteCall(ref: InstanceRef): Call {
  return { remote: ref.remote, wait: STEP_WAIT, tolerate: [404], ...deleteSubjectRequest(ref) }
}
