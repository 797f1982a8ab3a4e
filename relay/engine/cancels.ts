/** Detached jobs that somebody has cancelled, and the operations that may run for each: a cancelled one begins no further request. */
import { kindIn, workOfJob } from '../../shared/ledger/work.ts'
import type { CallError, Job } from '../../shared/relay/protocol.ts'
import type { Watched } from './operation.ts'

export type Cancels = {
  begin(job: Pick<Job, 'id'> & { steps?: Job['steps'] }): Cancelling
  /** Null: no such job is queued or runs. */
  of(id: string): Cancelling | null
}

export type Cancelling = {
  isCancelled(): boolean
  /** Resolves when it is. */
  cancelled: Promise<void>
  /** What was begun for it, as far as it was noted. */
  operations(): readonly Watched[]
  /** Nothing may end it in the middle: a disk is being replaced. */
  restores: boolean
  note(operation: Watched): void
  cancel(): void
  end(): void
}

export function createCancels(): Cancels {
  const known = new Map<string, Cancelling>()
  return {
    begin({ id, steps = [] }) {
      let isCancelled = false
      let tell = (): void => {}
      const operations: Watched[] = []
      const one: Cancelling = {
        isCancelled: () => isCancelled,
        cancelled: new Promise((resolve) => {
          tell = resolve
        }),
        operations: () => operations,
        restores: steps.some((step) => step.do === 'restore') || kindIn(workOfJob(id) ?? '') === 'restore',
        note: (operation) => operations.push(operation),
        cancel() {
          isCancelled = true
          tell()
        },
        end() {
          if (known.get(id) === one) known.delete(id)
        },
      }
      known.set(id, one)
      return one
    },
    of: (id) => known.get(id) ?? null,
  }
}

/** Of a job that goes no further. */
export const CANCELLED: CallError = { code: 'cancelled', message: 'it was cancelled' }

/** The progress of a stream, which ends it once somebody has cancelled it. */
export const unlessCancelled =
  ({ progress, isCancelled }: { progress(text: string): void; isCancelled?(): boolean }) =>
  (text: string): void => {
    if (isCancelled?.() === true) throw new Error(CANCELLED.message)
    progress(text)
  }
