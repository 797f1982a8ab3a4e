/** The action of files that are restored into their instance. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'

/** Restores a file or a folder of a snapshot, as a detached job; later ticks observe its end. */
export type PutAction = {
  kind: 'put'
  ref: InstanceRef
  /** Whose snapshot it is: the instance's own, or its copy's. */
  from: InstanceRef
  snapshot: string
  /** Absolute, in both. */
  path: string
  /** The snapshot of the state before. `taken`: an earlier try has, and may have restored a part. */
  safety: { name: string; expiresAt: string | null; taken: boolean }
  /** How the instance stands still while that is taken, in words; null: it doesn't. */
  standstill: string | null
  job: string
  reason: string
}

/** `from`: the remote whose snapshot it is; absent: the instance's own, if that has it, else a copy's. */
export type PutRequest = AnyRequest & { do: 'put'; path: string; from?: string | undefined } & OneSnapshot
