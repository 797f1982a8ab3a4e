/** Holds, starts and thaws. */
import { type InstanceRef, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { HOLD, RESTORED, RESTORING } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { EndRestoreStep, HoldStep, StartStep, ThawStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { whileRestored } from '../locks.ts'
import { readStatus } from '../pausing.ts'
import { isReplica } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import type { Sighting } from '../sightings.ts'
import { againstStart } from '../volume-marks.ts'
import { markCall, stateCall } from './requests.ts'
import { endVolumeRestore } from './restore-volume.ts'
import type { PlanStep, StepIo } from './step-io.ts'

/** While an instance is restored its config is replaced, and the hold with it. */
export const planHold: PlanStep<HoldStep> = ({ ref, snapshot, note }, io, job) => {
  const busy = whileRestored(ref, job.id, io.locks)
  if (busy !== null) return err(busy)
  return ok({
    calls: [markCall(ref, { [`${HOLD}${snapshot}`]: note ?? '' })],
    done: () => io.sightings.forget(ref),
  })
}

/** Only what was restored is started: whoever may start anything could start a copy. Nor onto the half of a volume. */
export const planStart: PlanStep<StartStep> = async ({ ref }, io) => {
  const seen = await restoredOne(ref, `start ${subjectKey(ref)}`, io)
  if (!seen.ok) return seen
  const shown = await readStatus(ref, io)
  if (!shown.ok) return shown
  const why = shown.value === null ? ok(null) : await againstStart(ref, shown.value.instance, null, io)
  if (!why.ok) return why
  return why.value === null
    ? ok({ calls: [stateCall(ref, 'start')] })
    : err(refused(`start ${subjectKey(ref)}`, why.value))
}

/**
 * The guard of the request itself checks that it is frozen, and that nothing runs on it. What stands still by the relay
 * itself has its mark, too.
 */
export const planThaw: PlanStep<ThawStep> = async ({ ref }, io) => {
  const ours = await io.groups.resuming(ref)
  if (ours !== null) return ours.ok ? ok({ calls: [] }) : ours
  return ok({ calls: [stateCall(ref, 'unfreeze')] })
}

export const planEndRestore: PlanStep<EndRestoreStep> = async ({ ref, safeties }, io, job) => {
  const busy = whileRestored(ref, job.id, io.locks)
  if (busy !== null) return err(busy)
  const seen = await restoredOne(ref, `end the restore of ${subjectKey(ref)}`, io)
  if (!seen.ok) return seen
  if (volumeIn(ref.instance) !== null)
    return endVolumeRestore({ do: 'end-restore', ref, safeties }, seen.value, io)
  return ok({ calls: [markCall(ref, { [RESTORING]: '', [RESTORED]: safeties.join(' ') })] })
}

async function restoredOne(ref: InstanceRef, what: string, io: StepIo): Promise<Result<Sighting, CallError>> {
  if (!isSource(io.remotes, ref.remote)) return err(refused(what, notSource(ref.remote)))
  const seen = await io.sightings.read(ref)
  if (!seen.ok) return seen
  const { config, own: keys } = seen.value
  if (isReplica(ref, seen.value, io)) return err(refused(what, 'it is a copy'))
  const isMarked = [RESTORING, RESTORED].some((key) => keys.includes(key) && own(config, key) !== '')
  return isMarked ? seen : err(refused(what, 'it was not restored'))
}
