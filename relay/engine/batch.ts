/** Runs a batch's jobs in parallel and reports each one as it ends; detached ones are only accepted. */
import type { BatchLine, BatchRequest, Job, StepReport } from '../../shared/relay/protocol.ts'
import type { Detached } from './detached.ts'
import { type JobIo, refuseJob, runJob } from './job.ts'
import { type Locks, locked } from './locks.ts'

export async function runBatch(
  { jobs }: BatchRequest,
  io: JobIo,
  locks: Locks,
  detached: Detached,
  onLine: (line: BatchLine) => void,
): Promise<void> {
  const start = (job: Job): BatchLine | Promise<BatchLine> => {
    const refused = refuseJob(job, io.remotes)
    if (refused !== null) return { job: job.id, steps: [{ ok: false, error: refused }] }
    return job.detach === true ? submit(job, detached) : attend(job, io, locks)
  }
  const ended = new Map<string, Promise<void>>()
  for (const job of jobs) {
    const before = job.after === undefined ? undefined : ended.get(job.after)
    const go = async (): Promise<void> => {
      if (before !== undefined) await before
      onLine(await start(job))
    }
    ended.set(job.id, go())
  }
  await Promise.all(ended.values())
  onLine({ done: jobs.length })
}

function submit(job: Job, detached: Detached): BatchLine {
  const error = detached.submit(job)
  return error === null ? { job: job.id, accepted: true } : { job: job.id, steps: [{ ok: false, error }] }
}

async function attend(job: Job, io: JobIo, locks: Locks): Promise<BatchLine> {
  if (!locks.take(job.lock, job.id)) {
    return { job: job.id, steps: [{ ok: false, error: locked(job.lock, locks) }] }
  }
  const steps: StepReport[] = await runJob(job, io)
  locks.release(job.lock, job.id)
  return { job: job.id, steps }
}
