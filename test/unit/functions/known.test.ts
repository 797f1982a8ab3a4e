/** What status, page and metrics read of KV. */
import { expect, test } from 'vitest'
import { readKnown } from '../../../functions/state/known.ts'
import type { State } from '../../../functions/state/ledger.ts'
import { channelOf } from '../notify/verdicts.ts'

const NOW = new Date('2026-11-22T06:00:00Z')

test('a channel that failed by a clock that was ahead has failed since now, as for notifications', async () => {
  const ahead = '2027-01-01T00:00:00.000Z'
  const failing = { since: ahead, count: 3, reason: 'it answered 500', retryAt: ahead }
  const notices = JSON.stringify({ open: {}, channels: { ops: { as: channelOf(), failing } } })
  const state: State = { get: async (key) => (key === 'notices' ? notices : null), put: async () => {} }
  const { channels } = await readKnown(state, NOW)
  expect(channels).toEqual([
    { name: 'ops', since: NOW.toISOString(), text: expect.stringContaining(NOW.toISOString()) },
  ])
})
