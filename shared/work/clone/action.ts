/** The actions of new instances that are made from snapshots: restores beside the original, and what is brought back. */

import type { InstanceRef } from '../../incus/subject.ts'
import type { TransferMode } from '../../incus/transfer-mode.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'

/** Makes a new instance, as a detached job; later ticks observe its end. */
export type CloneAction = {
  kind: 'clone'
  /** Whose snapshot it is: the original, or a copy of it. */
  from: InstanceRef
  snapshot: string
  to: InstanceRef
  /** It is brought back from its copy: with all that is verified there, its own addresses and its holds. */
  whole: boolean
  /** It is started once it is whole. */
  start: boolean
  /** Of its root disk; null: as the original has it. */
  pool: string | null
  transferMode: TransferMode
  /** Key of the original, also where that is gone. */
  of: string
  job: string
  reason: string
}

/** Takes the mark off one that is whole, and starts it before, where that is still to be done. */
export type FinishAction = { kind: 'finish-clone'; ref: InstanceRef; start: boolean; reason: string }

/** Removes one that was left half made, by its mark. */
export type RemoveAction = { kind: 'remove-clone'; ref: InstanceRef; reason: string }

/** Where it shall be. Absent: where the original is, or was. */
type Place = {
  remote?: string | undefined
  project?: string | undefined
  pool?: string | undefined
  /** The remote whose snapshot it is made from; absent: the original's, if that has it, else a copy's. */
  from?: string | undefined
  start?: boolean | undefined
}

export type CloneRequest = AnyRequest & { do: 'clone'; as: string } & OneSnapshot & Place

export type BringBackRequest = AnyRequest & { do: 'bring-back'; instance: string } & Place

/** Says what is left to do, and does nothing itself. */
export type MoveRequest = AnyRequest & { do: 'move'; instance: string } & Omit<Place, 'start'>
