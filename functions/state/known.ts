/** All that KV remembers of past looks and runs. */
import type { Found } from '../../shared/ledger/parse-ledger.ts'
import type { Facts } from '../../shared/promise/facts.ts'
import { readFacts } from './facts.ts'
import { readLedger, type State } from './ledger.ts'

export type Known = Found & { facts: Facts | null }

export async function readKnown(state: State, now: Date): Promise<Known> {
  const [found, facts] = await Promise.all([readLedger(state, now), readFacts(state)])
  return { ...found, facts }
}
