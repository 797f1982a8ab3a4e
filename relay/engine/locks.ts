/** One job at a time per lock, over all batches. A job without a lock never waits. */
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import type { CallError } from '../../shared/relay/protocol.ts'

export type Locks = {
  /** False when another job holds it. */
  take(lock: string | undefined, job: string): boolean
  holder(lock: string | undefined): string | undefined
  /** Does nothing unless this job holds it. */
  release(lock: string | undefined, job: string): void
}

export function createLocks(): Locks {
  const held = new Map<string, string>()
  return {
    take(lock, job) {
      if (lock === undefined) return true
      if (held.has(lock)) return false
      held.set(lock, job)
      return true
    },
    holder: (lock) => (lock === undefined ? undefined : held.get(lock)),
    release(lock, job) {
      if (lock !== undefined && held.get(lock) === job) held.delete(lock)
    },
  }
}

export const locked = (lock: string | undefined, locks: Locks): CallError => ({
  code: 'locked',
  message: `job "${locks.holder(lock)}" holds the lock "${lock}"; try again when it has ended`,
})

/** Another job restores the instance just now. */
export function whileRestored(ref: InstanceRef, job: string, locks: Locks): CallError | null {
  const lock = subjectKey(ref)
  const holder = locks.holder(lock)
  return holder?.startsWith('restore ') === true && holder !== job ? locked(lock, locks) : null
}
