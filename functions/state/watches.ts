/** Messages about long work, which later ticks edit until its end. One key, read only by ticks that look at Incus. */
import { saidFirst, type Watch } from '../../shared/chat/progress.ts'
import { instanceKey } from '../../shared/incus/inventory.ts'
import type { Plan } from '../../shared/plan/plan.ts'
import type { ReplyTo } from '../chatops/platform.ts'

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

/** What can't be read is forgotten: the work itself goes on, and its end stands in the record of changes. */
export async function readWatches(state: Store): Promise<Watching[]> {
  const text = await state.get(KEY)
  if (text === null) return []
  try {
    return JSON.parse(text) as Watching[]
  } catch {
    return []
  }
}

export const writeWatches = (state: Store, watches: readonly Watching[]): Promise<void> =>
  state.put(KEY, JSON.stringify(watches))
