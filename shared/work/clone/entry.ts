/** The ledger entry of a new instance that is being made, by its key. */
import * as z from 'zod/mini'
import type { Ledger } from '../../ledger/ledger.ts'
import { count, moment } from '../../ledger/parts.ts'
import { type Work, workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'

export const CLONE = 'clone'

export type CloneWork = Work & {
  state: 'started' | 'running' | 'done' | 'failed'
  /** Key of whose snapshot it is. */
  from: string
  of: string
  snapshot: string
  whole: boolean
  start: boolean
  pool?: string
  transferMode: 'pull' | 'push'
  /** When it was requested: what is older under its name isn't it (ISO 8601). */
  began: string
  /** Tries to start it and to take its mark off. */
  finishing?: number
  job: string
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
  transferMode: z.enum(['pull', 'push']),
  began: moment,
  finishing: may(count),
})

/** By the new instance's key. The ledger's parser has checked its form. */
export const cloneIn = ({ work }: Pick<Ledger, 'work'>, instance: string): CloneWork | undefined =>
  own(work, workKey(CLONE, instance)) as CloneWork | undefined

export const isEnded = ({ state }: CloneWork): boolean => state === 'done' || state === 'failed'
