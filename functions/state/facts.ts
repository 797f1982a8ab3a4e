/** What the looks have shown of each promise, under a key of its own in KV. */
import { type Facts, parseFacts } from '../../shared/promise/facts.ts'
import type { State } from './ledger.ts'

const KEY = 'promises'

/** Null: nothing was noted yet, or it can't be read: the next look shows it again. */
export async function readFacts(state: Pick<State, 'get'>): Promise<Facts | null> {
  const text = await state.get(KEY)
  if (text === null) return null
  try {
    return parseFacts(JSON.parse(text) as unknown).facts
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    return null
  }
}

export const writeFacts = (state: State, facts: Facts): Promise<void> => state.put(KEY, JSON.stringify(facts))
