/**
 * Detached jobs, which run without an open connection: copies that take hours. They queue in the lanes of
 * their target remote, exports in one of their own, and their outcome is kept for the next inventory.
 */

import { isOperationId } from '../../shared/incus/names.ts'
import { subjectKey } from '../../shared/incus/subject.ts'
import { keyIn, kindIn, targetIn, workOfJob } from '../../shared/ledger/work.ts'
import type { CallError, InventoryRequest, Job, JobReport } from '../../shared/relay/protocol.ts'
import type { Result } from '../../shared/result.ts'
import { COPY } from '../../shared/work/copy/entry.ts'
import { transferId } from '../../shared/work/copy/transfer.ts'
import { ADOPT } from './bounds.ts'
import { brokenBy } from './call.ts'
import type { Watcher } from './call-list.ts'
import { CANCELLED, type Cancelling } from './cancels.ts'
import { isObject } from './envelope.ts'
import { runJob } from './job.ts'
import type { JobMemory } from './job-memory.ts'
import type { Lanes } from './lanes.ts'
import { type Locks, locked } from './locks.ts'
import { awaitOperation, look } from './operation.ts'
import { describeOperation } from './parse-operations.ts'
import { badRequest } from './references.ts'
import type { StepIo } from './steps/step-io.ts'
import { remotesOf } from './steps/steps.ts'

type Adoptable = NonNullable<InventoryRequest['adopt']>[number]

export type Detached = {
  /** Null when it was accepted; also when it is queued or running already, which changes nothing. */
  submit(job: Job): CallError | null
  /** Adopts an operation whose job this relay doesn't know, if it is running or has only just ended. */
  adopt(entry: Adoptable, timeout?: number): Promise<void>
  reports(): JobReport[]
}

type Outcome = Pick<JobReport, 'state' | 'error' | 'step'>

/** For an adopted job, whose own limit isn't known. */
const ADOPTED_LIMIT = 7 * 86_400_000

/** After these errors the effect is unknown. */
const UNKNOWN: readonly CallError['code'][] = ['timeout', 'vanished', 'running', 'bad-reply']

/** Exports, and checks of them: these keep the relay and its stores busy, and no remote's copies. */
const isOfStores = ({ steps }: Job): boolean =>
  steps.some((step) => step.do === 'export' || step.do === 'check-export')

/** `lanes`: of copies, by remote. `exportLane`: one for all exports. */
export function createDetached(
  io: StepIo,
  locks: Locks,
  { lanes, exportLane }: { lanes: Lanes; exportLane: Lanes },
  memory: JobMemory,
): Detached {
  const run = async (job: Job): Promise<void> => {
    const cancelling = io.cancels.begin(job)
    const entering = isOfStores(job)
      ? exportLane.enter('')
      : lanes.enter(job.steps.flatMap(remotesOf).at(-1) ?? '')
    await Promise.race([entering, cancelling.cancelled])
    try {
      if (cancelling.isCancelled()) return memory.change(job.id, failure(CANCELLED))
      memory.change(job.id, { state: 'running' })
      const steps = await runJob(job, io, watcherOf(job, cancelling))
      const last = steps.at(-1)
      memory.change(
        job.id,
        last?.ok === false ? endOf(last.error, cancelling, steps.length - 1) : { state: 'done' },
      )
    } catch (cause) {
      memory.change(job.id, failure(brokenBy(cause)))
    } finally {
      cancelling.end()
      locks.release(job.lock, job.id)
      void entering.then((leave) => leave())
    }
  }
  const watcherOf = ({ id }: Pick<Job, 'id'>, { note, isCancelled, cancelled }: Cancelling): Watcher => ({
    ...{ begun: note, isCancelled, cancelled },
    waits: ({ remote, operation }) => memory.change(id, { remote, operation }),
    progress: (progress) =>
      memory.change(id, { progress: isCancelled() ? `${progress}, cancelled: it ends with this` : progress }),
  })
  /** Of an adopted copy, whose job isn't known. */
  const noteArrival = (id: string): void => {
    const work = workOfJob(id)
    if (work !== null && kindIn(work) === COPY) io.arrivals.adopt(targetIn(work), transferId(keyIn(work), id))
  }
  const watch = async ({ id, remote, operation, lock }: Adoptable): Promise<void> => {
    const leave = lanes.join(remote)
    locks.take(lock, id)
    const owner = { id }
    const cancelling = io.cancels.begin({ id })
    cancelling.note({ remote, operation })
    const work = workOfJob(id)
    if (work !== null && kindIn(work) === COPY) {
      if (lock !== undefined) io.busy.begin(owner, lock, 'sends')
      io.busy.begin(owner, targetIn(work), 'receives')
    }
    memory.change(id, { state: 'running', remote, operation })
    try {
      const timeouts = { ...io.timeouts, limit: ADOPTED_LIMIT }
      const ended = await awaitOperation(io, { remote, operation }, timeouts, (progress) =>
        memory.change(id, { progress }),
      )
      memory.change(id, ended.ok ? { state: 'done' } : endOf(ended.error, cancelling))
      if (ended.ok) noteArrival(id)
    } catch (cause) {
      memory.change(id, failure(brokenBy(cause)))
    } finally {
      cancelling.end()
      io.busy.end(owner)
      locks.release(lock, id)
      leave()
    }
  }
  return {
    submit(job) {
      if (memory.isLive(job.id)) return null
      if (!memory.makeRoom()) return badRequest('too many detached jobs are queued; try again later')
      if (!locks.take(job.lock, job.id)) return locked(job.lock, locks)
      memory.begin(job)
      void run(job)
      return null
    },
    async adopt(entry, timeout = ADOPT) {
      const { id, remote, operation } = entry
      if (memory.knows(id) || !Object.hasOwn(io.remotes, remote)) return
      if (!isOperationId(operation)) return
      const seen = await look(io, { remote, operation }, undefined, timeout)
      if (seen.state === 'silent' || isVanished(seen) || memory.knows(id) || !memory.makeRoom()) return
      if (!isOf(seen, entry)) return
      memory.begin(entry)
      if (seen.state === 'living') return void watch(entry)
      memory.change(id, { ...outcomeOf(seen.result), remote, operation })
      if (seen.result.ok) noteArrival(id)
    },
    reports: () => memory.reports(),
  }
}

const isVanished = (seen: Awaited<ReturnType<typeof look>>): boolean =>
  seen.state === 'ended' && !seen.result.ok && seen.result.error.code === 'vanished'

/**
 * Whether that is the operation of such a job. A copy's success verifies what it brought, so it has to be the
 * creation of that very instance; how far a restore has come is judged by its marks.
 */
function isOf(seen: Awaited<ReturnType<typeof look>>, { id, remote }: Adoptable): boolean {
  const work = workOfJob(id)
  if (work === null || kindIn(work) !== COPY) return true
  const metadata =
    seen.state === 'living'
      ? seen.metadata
      : seen.state === 'ended' && seen.result.ok
        ? seen.result.value
        : null
  // Of one that failed nothing is believed.
  if (!isObject(metadata)) return seen.state === 'ended'
  const known = describeOperation('', metadata)
  if (known === null) return false
  const { description, project, instances } = known
  return (
    description === CREATING &&
    instances.some((instance) => subjectKey({ remote, project, instance }) === targetIn(work))
  )
}

/** Incus's word for it, also where it refreshes one (6.0.4, 7.0.2). */
const CREATING = 'Creating instance'

const outcomeOf = (ended: Result<unknown, CallError>): Outcome =>
  ended.ok ? { state: 'done' } : failure(ended.error)

/** Of a job that failed. What isn't known stays so, also of a cancelled one. */
const endOf = (error: CallError, { isCancelled }: Cancelling, step?: number): Outcome =>
  failure(isCancelled() && !UNKNOWN.includes(error.code) ? CANCELLED : error, step)

const failure = (error: CallError, step?: number): Outcome => {
  const state = UNKNOWN.includes(error.code) ? 'unknown' : 'failed'
  return step === undefined ? { state, error } : { state, error, step }
}
