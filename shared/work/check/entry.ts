/** The ledger entry of the last check of an instance's exports in a store. */
import * as z from 'zod/mini'
import type { Ledger } from '../../ledger/ledger.ts'
import { placeOf, type Work, workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'

export const CHECK = 'check'

export type CheckWork = Work & {
  state: 'started' | 'running' | 'done' | 'failed'
  store: string
  /** Absent: the newest one. */
  name?: string
  job: string
  /** It is not what was stored. */
  corrupt?: true
}

const text = z.string()

export const checkSchema: z.ZodMiniType<CheckWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started', 'running', 'done', 'failed']),
  store: text,
  name: z.exactOptional(text),
  job: text,
  corrupt: z.exactOptional(z.literal(true)),
})

/** By the instance's key. */
export const checkKey = (instance: string, store: string): string => workKey(CHECK, placeOf(instance, store))

/** The ledger's parser has checked its form. */
export const checkIn = (
  { work }: Pick<Ledger, 'work'>,
  instance: string,
  store: string,
): CheckWork | undefined => own(work, checkKey(instance, store)) as CheckWork | undefined
