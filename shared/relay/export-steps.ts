/** What the relay is asked to do with exports in its stores: make, list, note, remove and check them. */
import type { InstanceRef } from '../incus/subject.ts'
import type { ExportAction } from '../work/export/action.ts'
import type { ExportNote } from '../work/export/notes.ts'

/**
 * Exports a snapshot as a file into a store of the relay's configuration. What else there is to know of it, its path and its
 * recipients, stands in that configuration alone.
 */
export type ExportStep = { do: 'export' } & Pick<
  ExportAction,
  'ref' | 'snapshot' | 'store' | 'name' | 'optimized' | 'policy'
> & { owner?: string }

/** Reads which exports of an instance a store has; the reply is a list of `ExportRow`. Null: all of them, of all stores. */
export type ReadExportsStep = {
  do: 'read-exports'
  ref: InstanceRef
  store: string | null
  name: string | null
  /** Of all of them, only the newest. */
  newest?: true
}

/** Reads all that a store has of an instance; the reply is an `ExportSurvey`. */
export type SurveyExportsStep = { do: 'survey-exports'; ref: InstanceRef; store: string }

/** Removes an export that a policy of an installation had made; one that doesn't exist counts as removed. */
export type ExpireExportStep = {
  do: 'expire-export'
  ref: InstanceRef
  store: string
  name: string
  policy: string
  owner: string
}

/** Notes beside an export what somebody says of it; said before, it is so already. */
export type NoteExportStep = {
  do: 'note-export'
  ref: InstanceRef
  store: string
  name: string
  note: ExportNote
}

/** Removes an export whose removal stands beside it, once that can't be taken back any more. */
export type DropExportStep = { do: 'drop-export'; ref: InstanceRef; store: string; name: string }

/** Reads an export again, to its end, and compares it with its manifest; null: the newest one. */
export type CheckExportStep = { do: 'check-export'; ref: InstanceRef; store: string; name: string | null }
