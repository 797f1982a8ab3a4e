/** What the looks have shown of each promise, under a key of its own in KV. */
import { dropFuture } from '../../shared/promise/ahead.ts'
import { type Facts, type FoundFacts, parseFacts } from '../../shared/promise/facts.ts'
import type { State } from './ledger.ts'

const KEY = 'promises'

/** Null: nothing was noted yet, or it can't be read: the next look shows it again. Without dates that a clock ahead has written. */
export async function readFacts(state: Pick<State, 'get'>, now: Date): Promise<FoundFacts> {
  const text = await state.get(KEY)
  return text === null ? { facts: null, lost: [] } : dropFuture(factsIn(text), now)
}

/** What was parsed last: most ticks find what the one before found, and nobody changes what comes of it. */
let last: { text: string; found: FoundFacts } | null = null

function factsIn(text: string): FoundFacts {
  if (last?.text !== text) last = { text, found: parseFacts(jsonIn(text)) }
  return last.found
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

export const writeFacts = (state: State, facts: Facts): Promise<void> => state.put(KEY, JSON.stringify(facts))
