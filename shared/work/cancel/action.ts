/** Cancels long work that runs. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest } from '../../plan/request.ts'

export type CancelAction = {
  kind: 'cancel'
  /** What it works on. */
  ref: InstanceRef
  /** Its key in the ledger. */
  work: string
  job: string
  reason: string
}

/** `instance`: a path without wildcards; of a new instance that is being made its own. */
export type CancelRequest = AnyRequest & { do: 'cancel'; instance: string }
