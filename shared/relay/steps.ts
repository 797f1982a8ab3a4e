/**
 * What the relay does when it is asked to: few operations with few parameters. The relay makes Incus's requests
 * from them by itself, and refuses what its own rules don't allow (see docs/security.md).
 */
import type { ProjectRules } from '../incus/project-rules.ts'
import type { InstanceRef } from '../incus/subject.ts'
import type { CloneAction } from '../work/clone/action.ts'
import type { CopyAction, VerifyAction } from '../work/copy/action.ts'
import type { ImportAction } from '../work/import/action.ts'
import type { PutAction } from '../work/put/action.ts'
import type { RestoreAction } from '../work/restore/action.ts'
import type { ScheduleAction } from '../work/schedule/action.ts'
import type {
  CheckExportStep,
  DropExportStep,
  ExpireExportStep,
  ExportStep,
  NoteExportStep,
  ReadExportsStep,
  SurveyExportsStep,
} from './export-steps.ts'

/** Takes a snapshot under one of our own names. `expiresAt`: ISO 8601; null: never. */
export type TakeStep = {
  do: 'take'
  ref: InstanceRef
  snapshot: string
  stateful: boolean
  expiresAt: string | null
  /** One of that name may be partial: it is removed first. */
  again?: true
}

/**
 * Takes snapshots of several subjects under one name, as one: what runs of them stands still meanwhile, for `pause` seconds
 * at most. Where not all are taken in that time, none counts, and what was made of them is removed again. The reply is a
 * `GroupReply`.
 */
export type TakeGroupStep = {
  do: 'take-group'
  snapshot: string
  members: ({ ref: InstanceRef } & Pick<TakeStep, 'expiresAt' | 'again'>)[]
  pause: number
  hook?: GroupHook
}

/**
 * A hook of the relay's configuration, by its name: commands in the instances that run, before and after, instead of standing still.
 * `otherwise`: what is done if the one before fails, or the relay has no such hook for one of them.
 */
export type GroupHook = { name: string; otherwise: 'fail' | 'pause' }

/** `paused`: seconds that each instance stood still, by its key. `remark`: in words, what was not as wanted, though all was taken. */
export type GroupReply = { paused: Record<string, number>; remark?: string }

/** Removes a snapshot; one that doesn't exist counts as removed. */
export type ExpireStep = { do: 'expire'; ref: InstanceRef; snapshot: string }

/** Has Incus remove a snapshot then, so that it can be undone until then: its own expiry is noted on the instance. */
export type ExpireLaterStep = { do: 'expire-later'; ref: InstanceRef; snapshot: string; expiresAt: string }

/** Makes the expiry of a source's snapshot later, or lifts it (null); never earlier. ISO 8601. */
export type ProlongStep = { do: 'prolong'; ref: InstanceRef; snapshot: string; expiresAt: string | null }

/** Takes the removal of a snapshot back. */
export type UndoStep = { do: 'undo'; ref: InstanceRef; snapshot: string }

/** Sets when Incus removes a snapshot; null: never. One that doesn't exist needs none. */
export type SetExpiryStep = { do: 'set-expiry'; ref: InstanceRef; snapshot: string; expiresAt: string | null }

/** Has Incus remove a snapshot later. One that it removes later anyway, or never, is left as it is. */
export type PostponeStep = { do: 'postpone'; ref: InstanceRef; snapshot: string; expiresAt: string }

/** Holds a snapshot, with a note; null: releases it. */
export type HoldStep = { do: 'hold'; ref: InstanceRef; snapshot: string; note: string | null }

/** Gives a snapshot another name, while it is that one; null: whenever it was made. */
export type RenameStep = {
  do: 'rename'
  ref: InstanceRef
  snapshot: string
  to: string
  createdAt: number | null
}

/** Gives a snapshot of a custom volume a description; empty: none. */
export type DescribeStep = { do: 'describe'; ref: InstanceRef; snapshot: string; text: string }

/** Sets keys of Incus's own schedule, if that is still what it `was`. See work/schedule/action.ts for the fields. */
export type ScheduleStep = { do: 'schedule' } & Pick<ScheduleAction, 'ref' | 'config' | 'was'>

/** Starts an instance that ran before it was restored. */
export type StartStep = { do: 'start'; ref: InstanceRef }

/** Thaws an instance that interrupted work left frozen. */
export type ThawStep = { do: 'thaw'; ref: InstanceRef }

/** Ends a restore that Incus refused: removes its mark, and names the complete safety snapshots. */
export type EndRestoreStep = { do: 'end-restore'; ref: InstanceRef; safeties: string[] }

/** Restores an instance or a volume in place, with a safety snapshot. See work/restore/action.ts for the fields. */
export type RestoreStep = { do: 'restore' } & Pick<
  RestoreAction,
  | 'ref'
  | 'snapshot'
  | 'safety'
  | 'partial'
  | 'restored'
  | 'running'
  | 'stateful'
  | 'diskOnly'
  | 'holds'
  | 'held'
  | 'expiresAt'
> &
  Partial<Pick<RestoreAction, 'users'>>

/** Of a copy, what the relay needs of its action. See work/copy/action.ts for the fields. */
export type Sending = Pick<
  CopyAction,
  | 'source'
  | 'target'
  | 'transferMode'
  | 'pool'
  | 'member'
  | 'first'
  | 'startOver'
  | 'unverified'
  | 'transfer'
  | 'owner'
  | 'listed'
  | 'unfinished'
  | 'verified'
  | 'lasting'
  | 'mirrored'
  | 'excludeOlder'
  | 'sourceServer'
  | 'inconsistent'
  | 'extended'
  | 'given'
>

/** Makes or refreshes a copy. */
export type CopyStep = { do: 'copy' } & Sending

/** Reads what decides whether a copy can be made, and changes nothing; the reply is a `CopyCheck`. */
export type CheckCopyStep = { do: 'check-copy'; rules: ProjectRules | null } & Sending

export type CopyCheck = {
  /** Why it would fail, with what to do; null: no reason found. */
  refusal: string | null
  /** What will differ on the target. */
  warnings: string[]
  /** Source snapshots whose expiry is postponed: name to their own expires_at. */
  extended: Record<string, string>
  /** What stays verified on the target. */
  verified: CopyAction['verified']
}

/** Marks what a transfer brought as verified. */
export type VerifyStep = { do: 'verify' } & Pick<
  VerifyAction,
  'source' | 'target' | 'marks' | 'rest' | 'expiries' | 'restore' | 'protect' | 'owner'
>

/** Of a new instance that is made from a snapshot, what the relay needs. See work/clone/action.ts for the fields. */
export type Cloning = Pick<
  CloneAction,
  'from' | 'snapshot' | 'to' | 'whole' | 'start' | 'pool' | 'transferMode'
>

/** Makes a new instance from a snapshot, under a name that no instance has. */
export type CloneStep = { do: 'clone' } & Cloning

/** Reads what decides whether that can be made, and changes nothing; the reply is a `CloneCheck`. */
export type CheckCloneStep = { do: 'check-clone' } & Cloning

export type CloneCheck = {
  /** Why it would fail, with what to do; null: no reason found. */
  refusal: string | null
  /** What will differ from the original. */
  warnings: string[]
}

/** Takes the mark off a new instance that is whole; it is started before, where it has to be and `start` says so. */
export type FinishCloneStep = { do: 'finish-clone'; ref: InstanceRef; start: boolean }

/** Removes a new instance that was left half made. */
export type RemoveCloneStep = { do: 'remove-clone'; ref: InstanceRef }

/** Reads an instance's snapshots; the reply is a list of `SnapshotRow`. */
export type ReadSnapshotsStep = { do: 'read-snapshots'; ref: InstanceRef }

/**
 * `config`: its `user.stapes.*` keys. `expiresAt`: when Incus removes it by itself (ISO 8601); null: never. `size`: in bytes, where the
 * driver knows it.
 */
export type SnapshotRow = {
  name: string
  stateful: boolean
  config: Record<string, string>
  expiresAt: string | null
  size: number | null
  description: string
}

/** Cancels a detached job of the relay, by its id: it begins no further request. A restore in place isn't cancelled. */
export type CancelStep = { do: 'cancel'; ref: InstanceRef; job: string }

/**
 * Of a new instance that is made from an export. See work/import/action.ts for the fields. `key`: the age identity that opens
 * it, for this one job; it stands in no report.
 */
export type Importing = Pick<ImportAction, 'of' | 'store' | 'to' | 'start' | 'pool' | 'given'> & {
  key: string | null
}

/** Makes a new instance from an export, under a name that no instance has. */
export type ImportStep = { do: 'import'; name: string } & Importing

/**
 * Reads what decides whether that can be made, the beginning of the export included, and changes nothing; the reply is an
 * `ImportCheck`. `name` null: of the newest one.
 */
export type CheckImportStep = { do: 'check-import'; name: string | null } & Importing

/** `export`: null where there is none that could be read. */
export type ImportCheck = CloneCheck & { export: { name: string; encrypted: boolean } | null }

/** Restores a file or a folder of a snapshot. See work/put/action.ts for the fields. */
export type PutStep = { do: 'put' } & Pick<PutAction, 'ref' | 'from' | 'snapshot' | 'path' | 'safety'>

export type Step =
  | TakeStep
  | TakeGroupStep
  | PutStep
  | ExpireStep
  | ExpireLaterStep
  | UndoStep
  | ProlongStep
  | SetExpiryStep
  | PostponeStep
  | HoldStep
  | ScheduleStep
  | RenameStep
  | DescribeStep
  | StartStep
  | ThawStep
  | EndRestoreStep
  | RestoreStep
  | CopyStep
  | CheckCopyStep
  | VerifyStep
  | CloneStep
  | CheckCloneStep
  | FinishCloneStep
  | RemoveCloneStep
  | ReadSnapshotsStep
  | ExportStep
  | ReadExportsStep
  | SurveyExportsStep
  | ExpireExportStep
  | NoteExportStep
  | DropExportStep
  | CheckExportStep
  | CancelStep
  | ImportStep
  | CheckImportStep
