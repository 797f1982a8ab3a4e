/** Reads an export again, to its end, as a detached job; later ticks observe its end. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest } from '../../plan/request.ts'

export type CheckAction = {
  kind: 'check'
  ref: InstanceRef
  store: string
  /** Of the export; null: the newest one. */
  name: string | null
  job: string
  reason: string
}

/** `export` absent: the newest one in that store. */
export type CheckRequest = AnyRequest & { do: 'check'; instance: string; to: string; export?: string }
