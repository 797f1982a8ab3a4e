/** Messages about long work, which later ticks edit until its end. One key, read only by runs that observe Incus. */

import * as z from 'zod/mini'
import { saidFirst } from '../../shared/chat/progress.ts'
import type { Watch } from '../../shared/chat/watch.ts'
import { isObject, moment } from '../../shared/ledger/parts.ts'
import { workKey } from '../../shared/ledger/work.ts'
import type { ReplyTo } from '../chatops/platform.ts'
import { readJson, replySchema } from './foreign.ts'

export type Watching = Watch & {
  /** The address of the message; null: there is none, and the outcome only goes into the audit record. */
  reply: ReplyTo | null
  /** When it was last edited (ISO 8601), and so many times. */
  editedAt: string
  edits: number
  /** Its present state in short, so that an edit without news is skipped. */
  said: string
}

type Store = { get(key: string): Promise<string | null>; put(key: string, value: string): Promise<void> }

const KEY = 'watches'

type Begun = Omit<Watching, 'reply' | 'edits' | 'editedAt' | 'said'>

/** Stored before the work begins, so that its outcome is reported even if this Worker dies meanwhile. */
export async function keepWatch(state: Store, begun: Begun, reply: ReplyTo | null): Promise<void> {
  const watch: Watching = { ...begun, reply, edits: 0, editedAt: begun.startedAt, said: saidFirst(begun) }
  await writeWatches(state, [...(await readWatches(state)), watch])
}

/** Those that can be read; the work of others goes on, and its outcome is in the ledger. */
export const readWatches = async (state: Store): Promise<Watching[]> => (await findWatches(state)).watches

/** `lost`: something there could not be read. */
export async function findWatches(state: Store): Promise<{ watches: Watching[]; lost: boolean }> {
  const stored = await state.get(KEY)
  if (stored === null) return { watches: [], lost: false }
  const entries = readJson(stored, z.array(z.unknown()))
  const watches = (entries ?? []).flatMap((entry) => {
    const parsed = watchSchema.safeParse(upgrade(entry))
    return parsed.success ? [parsed.data] : []
  })
  return { watches, lost: entries === null || watches.length < entries.length }
}

const text = z.string()
const texts = z.array(text)

/** Earlier versions had one list for each kind of work. Anything else stays as it is, and doesn't parse. */
function upgrade(entry: unknown): unknown {
  if (!isObject(entry) || entry.work !== undefined) return entry
  const { copies, restores, ...rest } = entry
  const [sent, restored] = [texts.safeParse(copies), texts.safeParse(restores)]
  if (!sent.success || !restored.success) return entry
  const keys = (kind: string, list: readonly string[]): string[] => list.map((key) => workKey(kind, key))
  return { ...rest, work: [...keys('copy', sent.data), ...keys('restore', restored.data)] }
}

const watchSchema: z.ZodMiniType<Watching> = z.looseObject({
  id: text,
  line: text,
  by: text,
  work: texts.check(z.minLength(1)),
  startedAt: moment,
  reply: z.nullable(replySchema),
  editedAt: moment,
  edits: z.number(),
  said: text,
})

export const writeWatches = (state: Store, watches: readonly Watching[]): Promise<void> =>
  state.put(KEY, JSON.stringify(watches))
