/** The ledger entry of an instance's last restore in place. */
import * as z from 'zod/mini'
import type { Ledger } from '../../ledger/ledger.ts'
import { count, texts } from '../../ledger/parts.ts'
import { type Work, workKey, workShape } from '../../ledger/work.ts'
import { own } from '../../own.ts'

export const RESTORE = 'restore'

export type RestoreWork = Work & {
  /** `failed`: given up, a person has to check. Ended ones are kept for a day, for the status. */
  state: 'started' | 'running' | 'done' | 'failed'
  snapshot: string
  safety: string
  /** The safety snapshot is known to be complete. */
  whole?: true
  /** Whether the instance has to run afterwards. */
  running: boolean
  /** With the memory that the snapshot holds. */
  stateful?: true
  /** Of a volume: names of the instances of its project that have to run afterwards. */
  users?: string[]
  /** Its settings stay. */
  diskOnly?: true
  /** Marks to set again, by key: holds, and which safety snapshots are complete. */
  holds: Record<string, string>
  /** Incus's own expiry of the snapshot; absent: none, or not known. */
  expiresAt?: string
  /** Tries before only the marks were left to set, which have tries of their own. */
  marking?: number
  /** A try may have changed its data. */
  touched?: true
  /** Incus refused it before it changed anything: it is undone. */
  refused?: true
  /** Tries to start the instance again. */
  starts?: number
  /** When its safety snapshots were last made to stay longer, as it was given up halfway. */
  keptAt?: string
  job: string
}

const may = z.exactOptional
const text = z.string()
const yes = z.literal(true)

export const restoreSchema: z.ZodMiniType<RestoreWork> = z.looseObject({
  ...workShape,
  state: z.enum(['started', 'running', 'done', 'failed']),
  job: text,
  snapshot: text,
  safety: text,
  whole: may(yes),
  running: z.boolean(),
  holds: texts,
  expiresAt: may(text),
  stateful: may(yes),
  users: may(z.array(text)),
  diskOnly: may(yes),
  marking: may(count),
  touched: may(yes),
  refused: may(yes),
  starts: may(count),
  keptAt: may(text),
})

/** By the instance's key. The ledger's parser has checked its form. */
export const restoreIn = ({ work }: Pick<Ledger, 'work'>, instance: string): RestoreWork | undefined =>
  own(work, workKey(RESTORE, instance)) as RestoreWork | undefined
