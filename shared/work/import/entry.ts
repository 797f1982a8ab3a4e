/** The ledger entry of an instance that is imported, by its key. The key of an encrypted export is never in it. */
import * as z from 'zod/mini'
import type { CopyGiven } from '../../incus/given.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { count, moment } from '../../ledger/parts.ts'
import { workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { MakingWork } from '../making.ts'

export const IMPORT = 'import'

export type ImportWork = MakingWork & {
  /** Key of whose export it is. */
  of: string
  store: string
  /** Of the export. */
  name: string
  start: boolean
  pool?: string
  given?: CopyGiven
  /** It is encrypted: each try needs its key. */
  encrypted?: true
}

const may = z.exactOptional
const text = z.string()

export const importSchema: z.ZodMiniType<ImportWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started', 'running', 'done', 'failed']),
  job: text,
  of: text,
  store: text,
  name: text,
  start: z.boolean(),
  pool: may(text),
  given: may(
    z.object({
      profiles: may(z.array(text)),
      config: may(z.record(text, text)),
      devices: may(z.record(text, z.record(text, text))),
    }),
  ),
  encrypted: may(z.literal(true)),
  began: moment,
  finishing: may(count),
})

/** By the new instance's key. The ledger's parser has checked its form. */
export const importIn = ({ work }: Pick<Ledger, 'work'>, instance: string): ImportWork | undefined =>
  own(work, workKey(IMPORT, instance)) as ImportWork | undefined
