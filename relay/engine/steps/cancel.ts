/** Cancels a detached job: it begins no further request, and Incus is asked to stop what runs for it, which it often refuses. */
import { request } from '../../../shared/incus/routes.ts'
import type { CancelStep } from '../../../shared/relay/steps.ts'
import { err, ok } from '../../../shared/result.ts'
import { call } from '../call.ts'
import { refused } from '../rules.ts'
import type { PlanStep } from './step-io.ts'

export const planCancel: PlanStep<CancelStep> = async ({ job }, io) => {
  const running = io.cancels.of(job)
  const what = `cancel ${job}`
  if (running === null) return err(refused(what, 'it doesn’t run any more'))
  if (running.restores)
    return err(refused(what, 'a restore in place is ended, or its disk is partly old and partly new'))
  running.cancel()
  // The receiving side's operation can't be cancelled; it ends with the sender's.
  for (const { remote, operation } of running.operations())
    await call(io.upstream, remote, request('cancelOperation', { operation }))
  return ok({ calls: [] })
}
