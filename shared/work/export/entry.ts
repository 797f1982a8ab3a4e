/** The ledger entry of an instance's last export to a store. */
import * as z from 'zod/mini'
import type { Ledger } from '../../ledger/ledger.ts'
import { count } from '../../ledger/parts.ts'
import { placeOf, type Work, workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'

export const EXPORT = 'export'

export type ExportWork = Work & {
  state: 'started' | 'running' | 'done' | 'failed'
  store: string
  snapshot: string
  name: string
  optimized?: true
  /** It is for a slot of that policy; absent: on request. */
  policy?: string
  /** What the store holds; absent until its manifest was seen. */
  bytes?: number
  job: string
}

const may = z.exactOptional
const text = z.string()

export const exportSchema: z.ZodMiniType<ExportWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started', 'running', 'done', 'failed']),
  store: text,
  snapshot: text,
  name: text,
  optimized: may(z.literal(true)),
  policy: may(text),
  bytes: may(count),
  job: text,
})

/** By the instance's key. */
export const exportKey = (instance: string, store: string): string =>
  workKey(EXPORT, placeOf(instance, store))

/** The ledger's parser has checked its form. */
export const exportIn = (
  { work }: Pick<Ledger, 'work'>,
  instance: string,
  store: string,
): ExportWork | undefined => own(work, exportKey(instance, store)) as ExportWork | undefined

export const isOver = ({ state }: ExportWork): boolean => state === 'done' || state === 'failed'
