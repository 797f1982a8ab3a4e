/** Runs a job's steps in order, up to the first failure. */
import type { CallError, Job, StepReport } from '../../shared/relay/protocol.ts'
import type { Step } from '../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { brokenBy } from './call.ts'
import { type Remotes, runCalls, unknownRemote, type Watcher } from './call-list.ts'
import { badRequest } from './references.ts'
import type { StepIo } from './steps/step-io.ts'
import { remotesOf, requestsOf } from './steps/steps.ts'

/** A job that can't succeed is refused before its first step is sent. */
export function refuseJob(job: Job, remotes: Remotes): CallError | null {
  const unknown = job.steps.flatMap(remotesOf).find((remote) => !Object.hasOwn(remotes, remote))
  if (unknown !== undefined) return unknownRemote(unknown, remotes)
  return job.steps.length === 0 ? badRequest('a job needs at least one step') : null
}

export async function runJob(job: Job, io: StepIo, watcher?: Watcher): Promise<StepReport[]> {
  const reports: StepReport[] = []
  try {
    for (const step of job.steps) {
      const result = await runStep(step, job, io, { urgent: reports.length > 0, watcher }).catch(
        (cause: unknown) => err(brokenBy(cause)),
      )
      if (!result.ok) return [...reports, { ok: false, error: result.error }]
      reports.push(result.value === undefined ? { ok: true } : { ok: true, metadata: result.value })
    }
    return reports
  } finally {
    io.busy.end(job)
  }
}

/** What a step replies with; undefined: nothing. */
async function runStep(
  step: Step,
  job: Job,
  io: StepIo,
  { urgent, watcher }: { urgent: boolean; watcher: Watcher | undefined },
): Promise<Result<unknown, CallError>> {
  let planned = await requestsOf(step, job, io, watcher)
  for (;;) {
    if (!planned.ok) return planned
    const { calls, reply, done, next } = planned.value
    const ran = await runCalls(calls, io, { urgent, ...(watcher === undefined ? {} : { watcher }) })
    if (!ran.ok) return ran
    done?.()
    if (next === undefined) return ok(reply)
    planned = await next()
  }
}
