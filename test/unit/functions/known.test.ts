/** What status, page and metrics read of KV. */
import { describe, expect, test } from 'vitest'
import { readKnown } from '../../../functions/state/known.ts'
import type { State } from '../../../functions/state/ledger.ts'
import { noteTested } from '../../../functions/state/notices.ts'
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

describe('a test of a channel that has failed', () => {
  const failing = { since: '2026-11-22T05:00:00.000Z', count: 5, reason: '404', retryAt: NOW.toISOString() }
  const broken = { as: channelOf(), failing }
  const notices = JSON.stringify({ open: {}, channels: { ops: broken, other: broken } })

  async function deadAfter(tested: string[], ok: boolean, at = NOW): Promise<string[]> {
    const values = new Map([['notices', notices]])
    const state: State = {
      get: async (key) => values.get(key) ?? null,
      put: async (key: string, value: unknown) => void values.set(key, String(value)),
    }
    const { type } = channelOf()
    for (const name of tested) await noteTested(state, [{ name, type, ok }], at)
    // Only ticks write it: what a request has read may be a minute old.
    expect(values.get('notices')).toBe(notices)
    return ((await readKnown(state, NOW)).channels ?? []).map(({ name }) => name)
  }

  test('that gets through ends its failure in the status at once, and no other one', async () => {
    expect(await deadAfter(['ops'], true)).toEqual(['other'])
    expect(await deadAfter(['ops', 'other'], true)).toEqual([])
  })

  test.each<[string, boolean, string]>([
    ['fails, too', false, NOW.toISOString()],
    ['was before it', true, '2026-11-22T04:00:00.000Z'],
    ['a clock that was ahead has noted', true, '2027-01-01T00:00:00.000Z'],
  ])('that %s ends nothing', async (_, ok, at) => {
    expect(await deadAfter(['ops'], ok, new Date(at))).toEqual(['ops', 'other'])
  })
})
