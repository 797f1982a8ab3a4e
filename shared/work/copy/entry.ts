/** The ledger entry of one replica: a source instance on one destination. */
import * as z from 'zod/mini'
import type { Ledger } from '../../ledger/ledger.ts'
import { moment, texts } from '../../ledger/parts.ts'
import { type Work, workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'

export const COPY = 'copy'

export type CopyWork = Work & {
  state: 'started' | 'running' | 'verified' | 'failed' | 'unknown'
  memo?: CopyMemo
  /** The newest snapshot verified on both sides: kept on the source even while the target can't be asked. */
  newest?: string
  /** All that was verified on the target, in the form of its mark (see marks.ts): the mark may get lost. */
  verified?: string
  /** Those of them that have expired on the source, in the same form: a refresh may remove them. */
  expired?: string
  /** For how many seconds the relay keeps them (0: it has no rule), as was seen last: for when the target gives no answer. */
  least?: number
  /** Duration of the last completed transfer, in seconds. */
  took?: number
  /** The own expiry of that snapshot on the source, which is postponed while the copy lags behind. */
  putOff?: { snapshot: string; own: string; until: string }
}

/** Travels with the relay's job, so that a success can be judged even when the ledger was lost. */
export type CopyMemo = {
  /** Only snapshots created on the source up to here (seconds since the epoch) can be verified. */
  through: number
  /** Source snapshots whose expiry was postponed for the copy: name to its own expires_at. */
  extended: Record<string, string>
  /** Can't be verified either: they were on the target before, and could not be removed. */
  stale?: string[]
  /** The source ran when it began, and is frozen for it. */
  freezes?: true
}

const may = z.exactOptional
const text = z.string()

/** A new field of CopyWork belongs here as well; without that it is kept unchecked. */
export const copySchema: z.ZodMiniType<CopyWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started', 'running', 'verified', 'failed', 'unknown']),
  memo: may(
    z.looseObject({
      through: z.number(),
      extended: texts,
      stale: may(z.array(text)),
      freezes: may(z.literal(true)),
    }),
  ),
  newest: may(text),
  took: may(z.number()),
  verified: may(text),
  expired: may(text),
  least: may(z.number()),
  putOff: may(z.object({ snapshot: text, own: moment, until: moment })),
})

/** By its replica's key, `source key>destination key`. The ledger's parser has checked its form. */
export const copyIn = ({ work }: Pick<Ledger, 'work'>, replica: string): CopyWork | undefined =>
  own(work, workKey(COPY, replica)) as CopyWork | undefined
