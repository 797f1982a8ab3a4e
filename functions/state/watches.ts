/** Messages about long work, which later ticks edit until its end. One key, read only by ticks that look at Incus. */
import * as z from 'zod/mini'
import { saidFirst } from '../../shared/chat/progress.ts'
import type { Watch } from '../../shared/chat/watch.ts'
import { instanceKey } from '../../shared/incus/inventory.ts'
import { moment } from '../../shared/ledger/parts.ts'
import type { Plan } from '../../shared/plan/plan.ts'
import type { ReplyTo } from '../chatops/platform.ts'
import { readJson, replySchema } from './foreign.ts'

export type Watching = Watch & {
  /** Where the message stands; null: there is none, and only the record of changes is told the end. */
  reply: ReplyTo | null
  /** When it was last edited (ISO 8601), and so many times. */
  editedAt: string
  edits: number
  /** What it says now, in short: an edit that says nothing new is not made. */
  said: string
}

type Store = { get(key: string): Promise<string | null>; put(key: string, value: string): Promise<void> }

const KEY = 'watches'

/** What of a plan goes on after its request was answered. */
export const longWorkOf = ({ actions }: Plan): Pick<Watching, 'copies' | 'restores'> => ({
  copies: actions.flatMap((action) => (action.kind === 'copy' ? [action.key] : [])),
  restores: actions.flatMap((action) => (action.kind === 'restore' ? [instanceKey(action.ref)] : [])),
})

export type Begun = Omit<Watching, 'reply' | 'edits' | 'editedAt' | 'said'>

/** Noted before the work begins, so that its end is told even when this Worker doesn't live to see it begin. */
export async function keepWatch(state: Store, begun: Begun, reply: ReplyTo | null): Promise<void> {
  const watch: Watching = { ...begun, reply, edits: 0, editedAt: begun.startedAt, said: saidFirst(begun) }
  await writeWatches(state, [...(await readWatches(state)), watch])
}

/** Those that can be read; the work of the others goes on, and its end stands in the ledger. */
export const readWatches = async (state: Store): Promise<Watching[]> => (await findWatches(state)).watches

/** `lost`: something there could not be read. */
export async function findWatches(state: Store): Promise<{ watches: Watching[]; lost: boolean }> {
  const stored = await state.get(KEY)
  if (stored === null) return { watches: [], lost: false }
  const entries = readJson(stored, z.array(z.unknown()))
  const watches = (entries ?? []).flatMap((entry) => {
    const parsed = watchSchema.safeParse(entry)
    return parsed.success ? [parsed.data] : []
  })
  return { watches, lost: entries === null || watches.length < entries.length }
}

const text = z.string()

const watchSchema: z.ZodMiniType<Watching> = z.looseObject({
  id: text,
  line: text,
  by: text,
  copies: z.array(text),
  restores: z.array(text),
  startedAt: moment,
  reply: z.nullable(replySchema),
  editedAt: moment,
  edits: z.number(),
  said: text,
})

export const writeWatches = (state: Store, watches: readonly Watching[]): Promise<void> =>
  state.put(KEY, JSON.stringify(watches))
