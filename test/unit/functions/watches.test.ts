import { describe, expect, test } from 'vitest'
import { findWatches, keepWatch } from '../../../functions/state/watches.ts'

const COMMON = {
  ...{ id: 'a1', line: 'copy', by: 'ada', startedAt: '2026-11-22T12:00:00.000Z', reply: null },
  ...{ editedAt: '2026-11-22T12:00:00.000Z', edits: 0, said: 'runs' },
}
const COPY = 'main/default/web1>backup/default/web1'
const FORMER = { ...COMMON, copies: [COPY], restores: ['main/default/db1'] }
const NOW = { ...COMMON, work: [`copy ${COPY}`, 'restore main/default/db1'] }

const kvOf = (value: unknown) => {
  let stored = JSON.stringify(value)
  return {
    get: async () => stored,
    put: async (_: string, text: string) => {
      stored = text
    },
  }
}

test('watches of an earlier version, which had a list for each kind of work, are carried over', async () => {
  expect(await findWatches(kvOf([FORMER, NOW]))).toEqual({ watches: [NOW, NOW], lost: false })
})

test('one that is begun stands beside them', async () => {
  const kv = kvOf([FORMER])
  const { reply: _, editedAt: __, edits: ___, said: ____, ...begun } = NOW
  await keepWatch(kv, { ...begun, id: 'a2' }, null)
  const { watches } = await findWatches(kv)
  expect(watches).toMatchObject([NOW, { id: 'a2', work: NOW.work, said: 'runs, runs' }])
})

describe('one that can’t be read is lost, and not taken for one that has nothing to wait for', () => {
  test.each<[string, object]>([
    ['copies that are no list', { ...FORMER, copies: null }],
    ['restores that are texts no longer', { ...FORMER, restores: [7] }],
    ['neither list', COMMON],
    ['nothing to wait for', { ...COMMON, work: [] }],
    ['nothing of either kind', { ...COMMON, copies: [], restores: [] }],
  ])('%s', async (_, entry) => {
    expect(await findWatches(kvOf([entry, NOW]))).toEqual({ watches: [NOW], lost: true })
  })
})
