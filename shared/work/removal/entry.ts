/** The ledger entry of an export that somebody removes, until it has gone. What counts is the note in its store. */
import * as z from 'zod/mini'
import { count } from '../../ledger/parts.ts'
import { placeOf, subjectIn, targetIn, type Work, workKey, workShape } from '../../ledger/work.ts'

export const REMOVAL = 'removal'

export type RemovalWork = Work & {
  state: 'started'
  store: string
  name: string
  snapshot: string
  /** So often its store did not let it go, and said no date. */
  refused: number
}

const text = z.string()

export const removalSchema: z.ZodMiniType<RemovalWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started']),
  store: text,
  name: text,
  snapshot: text,
  refused: count,
})

/** By the instance's key. */
export const removalKey = (instance: string, { store, name }: { store: string; name: string }): string =>
  workKey(REMOVAL, placeOf(instance, `${store}/${name}`))

/** `instance key>store`. */
export const placeIn = (key: string): string => placeOf(subjectIn(key), targetIn(key).split('/')[0] ?? '')
