/** What a reading command answers from, with what a test doesn't care about filled in. */
import type { Message } from '../../../../shared/chat/message.ts'
import type { ReadCommand, Values } from '../../../../shared/command/command.ts'
import type { Seen } from '../../../../shared/command/seen.ts'
import { emptyLedger, type Ledger, type PolicyLedger } from '../../../../shared/ledger/ledger.ts'
import type { World } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import { messageText } from '../../../chat/message-text.ts'
import { configOf } from '../../policy/instances.ts'

export const NOW = new Date('2026-11-22T12:30:00.000Z')

export const nightly = {
  schedule: '0 3 * * *',
  keep: { daily: 7, weekly: 4 },
  copy: { remote: 'backup' },
}

export const policyLedger = (slots: PolicyLedger['slots'] = []): PolicyLedger => ({
  accounted: '2026-11-22T03:00:00.000Z',
  open: null,
  slots,
})

const NEWEST = 'nightly-20261122T0300Z@1795316405'
const FACTS = {
  at: '2026-11-22T12:29:00.000Z',
  subjects: { nightly: { 'main/default/web1': { taken: NEWEST, copied: NEWEST } } },
}

export const ledgerOf = (more: Partial<Ledger> = {}): Ledger => ({
  ...emptyLedger('v1'),
  wakeAt: '2026-11-22T13:00:00.000Z',
  written: '2026-11-22T12:29:00.000Z',
  policies: { nightly: policyLedger([{ slot: '2026-11-22T03:00:00.000Z', outcome: 'served', served: 3 }]) },
  ...more,
})

export const seenOf = (more: Partial<Seen> = {}): Seen => ({
  now: NOW,
  actor: {
    platform: 'slack',
    id: 'slack:T1/U1',
    principals: ['slack:T1/U1'],
    user: 'U1',
    name: 'ada',
    place: 'slack:T1/C1',
  },
  config: configOf({ nightly }),
  applied: { version: 'v1', appliedAt: '2026-11-01T00:00:00.000Z' },
  pauses: {},
  ledger: ledgerOf(),
  facts: FACTS,
  maySee: () => true,
  world: null,
  coverages: [],
  history: [],
  ...more,
})

/** A world under a configuration. */
export function worldSeen(world: World, more: Partial<Seen> = {}): Seen {
  const seen = seenOf(more)
  const coverages = seen.config === null ? [] : coverInstances(seen.config, world.remotes)
  return { ...seen, world, coverages }
}

export const answer = (command: ReadCommand, seen: Seen, values: Values = {}): Message =>
  command.answer(values, seen)

export const said = (command: ReadCommand, seen: Seen, values: Values = {}): string =>
  messageText(answer(command, seen, values))
