/** Instances that are made of snapshots to read their files, as whoever reads sees them. */
import type { InstanceRef } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { Result } from '../../../shared/result.ts'

/** One of them, while it is used. */
export type Clone = {
  ref: InstanceRef
  /** It isn't used any more. */
  leave(): void
}

export type Clones = {
  /** Null: it is still being made, though the milliseconds have passed. */
  open(ref: InstanceRef, snapshot: string, within: number): Promise<Result<Clone | null, CallError>>
  /** All of them go. */
  close(): Promise<void>
}
