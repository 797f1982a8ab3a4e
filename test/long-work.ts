/** Long work in ledgers and plans, by kind. */
import { keyIn, kindIn, type Work, workKey } from '../shared/ledger/work.ts'
import type { CloneWork } from '../shared/work/clone/entry.ts'
import type { CopyWork } from '../shared/work/copy/entry.ts'
import type { ExportWork } from '../shared/work/export/entry.ts'
import type { ImportWork } from '../shared/work/import/entry.ts'
import type { RestoreWork } from '../shared/work/restore/entry.ts'

const as =
  (kind: string) =>
  <Entry extends Work>(entries: Readonly<Record<string, Entry>>): Record<string, Entry> =>
    Object.fromEntries(Object.entries(entries).map(([key, entry]) => [workKey(kind, key), entry]))

/** As they stand in the ledger, by replica keys, or keys of instances. */
export const copiesAs = as('copy')
export const restoresAs = as('restore')

type Holder = { work?: Readonly<Record<string, Work | null>> } | null | undefined

const of = (holder: Holder, kind: string): [string, Work][] =>
  Object.entries(holder?.work ?? {}).flatMap(([key, entry]) =>
    kindIn(key) === kind && entry !== null ? [[keyIn(key), entry]] : [],
  )

export const copiesOf = (holder: Holder): Record<string, CopyWork> =>
  Object.fromEntries(of(holder, 'copy') as [string, CopyWork][])

export const restoresOf = (holder: Holder): Record<string, RestoreWork> =>
  Object.fromEntries(of(holder, 'restore') as [string, RestoreWork][])

export const exportsOf = (holder: Holder): Record<string, ExportWork> =>
  Object.fromEntries(of(holder, 'export') as [string, ExportWork][])

export const clonesOf = (holder: Holder): Record<string, CloneWork> =>
  Object.fromEntries(of(holder, 'clone') as [string, CloneWork][])

export const importsOf = (holder: Holder): Record<string, ImportWork> =>
  Object.fromEntries(of(holder, 'import') as [string, ImportWork][])
