/** Runs a batch's jobs in parallel and reports each one as it ends; detached ones are only accepted. */
import type { BatchLine, BatchRequest, CallError, Job, StepReport } from '../../shared/relay/protocol.ts'
import { brokenBy } from './call.ts'
import type { Detached } from './detached.ts'
import { refuseJob, runJob } from './job.ts'
import { type Locks, locked } from './locks.ts'
import type { StepIo } from './steps/step-io.ts'

export async function runBatch(
  { jobs }: BatchRequest,
  io: StepIo,
  locks: Locks,
  detached: Detached,
  onLine: (line: BatchLine) => void,
): Promise<void> {
  const start = async (job: Job): Promise<BatchLine> => {
    const refused = refuseJob(job, io.remotes)
    if (refused !== null) return failed(job, refused)
    return job.detach === true ? submit(job, detached) : attend(job, io, locks)
  }
  const ended = new Map<string, Promise<void>>()
  for (const job of jobs) {
    const before = job.after === undefined ? undefined : ended.get(job.after)
    const go = async (): Promise<void> => {
      if (before !== undefined) await before
      onLine(await start(job).catch((cause): BatchLine => failed(job, brokenBy(cause))))
    }
    ended.set(job.id, go())
  }
  await Promise.all(ended.values())
  onLine({ done: jobs.length })
}

const failed = ({ id }: Job, error: CallError): BatchLine => ({ job: id, steps: [{ ok: false, error }] })

function submit(job: Job, detached: Detached): BatchLine {
  const error = detached.submit(job)
  return error === null ? { job: job.id, accepted: true } : failed(job, error)
}

async function attend(job: Job, io: StepIo, locks: Locks): Promise<BatchLine> {
  if (!locks.take(job.lock, job.id)) return failed(job, locked(job.lock, locks))
  try {
    const steps: StepReport[] = await runJob(job, io)
    return { job: job.id, steps }
  } finally {
    locks.release(job.lock, job.id)
  }
}
