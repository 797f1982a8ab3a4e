/** The ledger entry of what was last restored into an instance. */
import * as z from 'zod/mini'
import type { Ledger } from '../../ledger/ledger.ts'
import { type Work, workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'

export const PUT = 'put'

export type PutWork = Work & {
  /** `failed`: given up, a person has to check. */
  state: 'started' | 'running' | 'done' | 'failed'
  /** Key of whose snapshot it is. */
  from: string
  snapshot: string
  path: string
  safety: string
  job: string
}

const text = z.string()

export const putSchema: z.ZodMiniType<PutWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started', 'running', 'done', 'failed']),
  from: text,
  snapshot: text,
  path: text,
  safety: text,
  job: text,
})

/** By the instance's key. The ledger's parser has checked its form. */
export const putIn = ({ work }: Pick<Ledger, 'work'>, instance: string): PutWork | undefined =>
  own(work, workKey(PUT, instance)) as PutWork | undefined

export const isOver = ({ state }: Pick<Work, 'state'>): boolean => state === 'done' || state === 'failed'
