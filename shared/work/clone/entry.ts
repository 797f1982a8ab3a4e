/** The ledger entry of a new instance that is being made, by its key. */

import * as z from 'zod/mini'
import { TRANSFER_MODES, type TransferMode } from '../../incus/transfer-mode.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { count, moment } from '../../ledger/parts.ts'
import { workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { MakingWork } from '../making.ts'

export const CLONE = 'clone'

export type CloneWork = MakingWork & {
  /** Key of whose snapshot it is. */
  from: string
  of: string
  snapshot: string
  whole: boolean
  start: boolean
  pool?: string
  transferMode: TransferMode
}

const may = z.exactOptional
const text = z.string()

export const cloneSchema: z.ZodMiniType<CloneWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started', 'running', 'done', 'failed']),
  job: text,
  from: text,
  of: text,
  snapshot: text,
  whole: z.boolean(),
  start: z.boolean(),
  pool: may(text),
  transferMode: z.enum(TRANSFER_MODES),
  began: moment,
  finishing: may(count),
})

/** By the new instance's key. The ledger's parser has checked its form. */
export const cloneIn = ({ work }: Pick<Ledger, 'work'>, instance: string): CloneWork | undefined =>
  own(work, workKey(CLONE, instance)) as CloneWork | undefined
