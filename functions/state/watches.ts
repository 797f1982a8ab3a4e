/** Messages about long work, which later ticks edit until its end. One key, read only by ticks that look at Incus. */
import type { Watch } from '../../shared/chat/progress.ts'
import type { ReplyTo } from '../chatops/platform.ts'

export type Watching = Watch & {
  /** Where the message stands. */
  reply: ReplyTo
  /** When it was last edited (ISO 8601), and so many times. */
  editedAt: string
  edits: number
  /** What it says now, in short: an edit that says nothing new is not made. */
  said: string
}

type Store = { get(key: string): Promise<string | null>; put(key: string, value: string): Promise<void> }

const KEY = 'watches'

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
