/** Other names and descriptions of snapshots. */
import { refuseRenaming } from '../../../shared/incus/snapshot-name.ts'
import { subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { HOLD, UNDO } from '../../../shared/policy/marks.ts'
import type { DescribeStep, RenameStep } from '../../../shared/relay/steps.ts'
import { err, ok } from '../../../shared/result.ts'
import { refused } from '../rules.ts'
import { describeRequest, renameRequest } from '../subject-requests.ts'
import { standing } from './expire-later.ts'
import { STEP_WAIT } from './requests.ts'
import type { PlanStep } from './step-io.ts'

/** What stapes itself has named keeps its name, and nothing gets one of that form: what may be removed goes by it. */
export const planRename: PlanStep<RenameStep> = async ({ ref, snapshot, to, createdAt }, io, job) => {
  const what = `rename ${snapshot} of ${subjectKey(ref)} to ${to}`
  const refusal = (why: string) => err(refused(what, why))
  const why = refuseRenaming(snapshot, to)
  if (why !== null) return refusal(why)
  const seen = await standing(ref, what, io, job)
  if (!seen.ok) return seen
  const { snapshots, own: keys } = seen.value
  if (snapshots === null) return refusal('its snapshots could not be listed')
  const pair = snapshots.find(([name]) => name === snapshot)
  if (pair === undefined) return refusal('it is gone')
  if (createdAt !== null && pair[1] !== createdAt) return refusal('another one is called so now')
  if (snapshots.some(([name]) => name === to)) return refusal('another one is called so')
  if ([HOLD, UNDO].some((mark) => keys.includes(`${mark}${snapshot}`)))
    return refusal('it is held, or removed in a way that can be undone, by that name')
  const busy = io.busy.begin(job, subjectKey(ref), 'loses')
  if (busy !== null) return err(busy)
  return ok({
    calls: [{ remote: ref.remote, wait: STEP_WAIT, ...renameRequest(ref, snapshot, to) }],
    done: () => io.sightings.forget(ref),
  })
}

/** Incus keeps none of an instance's. */
export const planDescribe: PlanStep<DescribeStep> = async ({ ref, snapshot, text }, io, job) => {
  const what = `describe ${snapshot} of ${subjectKey(ref)}`
  const volume = volumeIn(ref.instance)
  if (volume === null) return err(refused(what, 'it is no custom volume'))
  const seen = await standing(ref, what, io, job)
  if (!seen.ok) return seen
  return ok({
    calls: [{ remote: ref.remote, wait: STEP_WAIT, ...describeRequest(ref.project, volume, snapshot, text) }],
  })
}
