/** What was told to whom, under a key of its own in KV. */
import { NO_NOTICES, type Notices, parseNotices } from '../../shared/notify/notices.ts'
import type { State } from './ledger.ts'

const KEY = 'notices'

/** None where they can't be read: what still stands is told once more. */
export async function readNotices(state: Pick<State, 'get'>): Promise<Notices> {
  const text = await state.get(KEY)
  if (text === null) return NO_NOTICES
  try {
    return parseNotices(JSON.parse(text) as unknown)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    return NO_NOTICES
  }
}

export const writeNotices = (state: State, notices: Notices): Promise<void> =>
  state.put(KEY, JSON.stringify(notices))
