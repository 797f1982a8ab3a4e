/** Incus's own schedule of an instance or a custom volume. */
import { subjectKey } from '../../../shared/incus/subject.ts'
import { refuseConfig } from '../../../shared/own-schedule/settings.ts'
import type { ScheduleStep } from '../../../shared/relay/steps.ts'
import { err, ok } from '../../../shared/result.ts'
import { call } from '../call.ts'
import { isObject } from '../envelope.ts'
import { scheduleOf } from '../parse-instances.ts'
import { refused } from '../rules.ts'
import { subjectRequest } from '../subject-requests.ts'
import { standing } from './expire-later.ts'
import { markCall } from './requests.ts'
import type { PlanStep } from './step-io.ts'

/** Never on a copy, which takes none by itself; and only what was decided on is changed. */
export const planSchedule: PlanStep<ScheduleStep> = async ({ ref, config, was }, io, job) => {
  const what = `change Incus's own schedule of ${subjectKey(ref)}`
  const why = refuseConfig(config)
  if (why !== null) return err(refused(what, why))
  const seen = await standing(ref, what, io, job)
  if (!seen.ok) return seen
  const one = await call(io.upstream, ref.remote, subjectRequest(ref))
  if (!one.ok) return one
  const { metadata } = one.value.envelope
  const keys = isObject(metadata) ? (metadata.expanded_config ?? metadata.config) : undefined
  const present = scheduleOf(keys)?.schedule ?? ''
  if (present !== was)
    return err(refused(what, `somebody has changed it: it is "${present}" now, and was "${was}". Look again`))
  const { etag } = one.value
  return ok({
    calls: [{ ...markCall(ref, config), ...(etag === undefined ? {} : { ifMatch: etag }) }],
    done: () => io.sightings.forget(ref),
  })
}
