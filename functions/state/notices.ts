/** What was told to whom, under a key of its own in KV. */
import { dropFuture } from '../../shared/notify/ahead.ts'
import { NO_NOTICES, type Notices, parseNotices } from '../../shared/notify/notices.ts'
import type { State } from './ledger.ts'

const KEY = 'notices'

/** None where they can't be read: what still stands is told once more. Without dates that a clock ahead has written. */
export async function readNotices(state: Pick<State, 'get'>, now: Date): Promise<Notices> {
  const text = await state.get(KEY)
  if (text === null) return NO_NOTICES
  try {
    return dropFuture(parseNotices(JSON.parse(text) as unknown), now)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    return NO_NOTICES
  }
}

export const writeNotices = (state: State, notices: Notices): Promise<void> =>
  state.put(KEY, JSON.stringify(notices))
