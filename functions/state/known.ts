/** All that KV remembers of past looks and runs. */
import type { Found } from '../../shared/ledger/parse-ledger.ts'
import { type DeadChannel, deadChannels } from '../../shared/notify/dead.ts'
import type { Facts } from '../../shared/promise/facts.ts'
import { readFacts } from './facts.ts'
import { readLedger, type State } from './ledger.ts'
import { readNotices } from './notices.ts'

export type Known = Found & {
  facts: Facts | null
  /** Where people can't be told. */
  channels?: readonly DeadChannel[]
}

export async function readKnown(state: State, now: Date): Promise<Known> {
  const [{ ledger, lost }, found, notices] = await Promise.all([
    readLedger(state, now),
    readFacts(state, now),
    readNotices(state, now),
  ])
  const { facts } = found
  return { ledger, lost: [...lost, ...found.lost], facts, channels: deadChannels(notices) }
}
