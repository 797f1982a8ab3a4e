/** What is said of one export: held, released, removed, or that taken back; and its removal, once it is due. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyAction } from '../../plan/plan.ts'
import type { AnyRequest } from '../../plan/request.ts'

type One = {
  ref: InstanceRef
  store: string
  /** Of the export. */
  name: string
  /** The one in it. */
  snapshot: string
  reason: string
}

/** `note` null: it is released. */
export type HoldExportAction = One & { kind: 'hold-export'; note: string | null; going: boolean }

/** It goes at `end` (ISO 8601). `last`: though it is the newest whole one. */
export type RemoveExportAction = One & { kind: 'remove-export'; end: string; last: boolean }

export type UndoExportAction = One & { kind: 'undo-export' }

/** By an earlier request: its time has come. */
export type DropExportAction = One & { kind: 'drop-export' }

export type RemovalAction = HoldExportAction | RemoveExportAction | UndoExportAction | DropExportAction

/** `from`: the store. */
type OneExport = { instance: string; from: string; export: string }

export type HoldExportRequest = AnyRequest & { do: 'hold-export'; note: string } & OneExport
export type ReleaseExportRequest = AnyRequest & { do: 'release-export' } & OneExport
/** `grace`: seconds in which it can be taken back. */
export type RemoveExportRequest = AnyRequest & { do: 'remove-export'; grace: number; last?: true } & OneExport
export type UndoExportRequest = AnyRequest & { do: 'undo-export' } & OneExport

export type RemovalRequest =
  | HoldExportRequest
  | ReleaseExportRequest
  | RemoveExportRequest
  | UndoExportRequest

export const isDrop = (action: AnyAction): action is DropExportAction => action.kind === 'drop-export'
export const isRemoval = (action: AnyAction): action is RemoveExportAction => action.kind === 'remove-export'
