/** Facts that a clock which was ahead has left. */
import { expect, test } from 'vitest'
import { dropFuture } from '../../../shared/promise/ahead.ts'
import type { Fact, Facts } from '../../../shared/promise/facts.ts'

const NOW = new Date('2026-11-22T10:20:30Z')
const KEY = 'main/default/web'

const after = (fact: Fact): { fact: Fact | undefined; lost: string[] } => {
  const facts: Facts = { at: NOW.toISOString(), subjects: { p: { [KEY]: fact } } }
  const found = dropFuture({ facts, lost: [] }, NOW)
  return { fact: found.facts?.subjects.p?.[KEY], lost: found.lost }
}

const KNOWN: Fact = {
  ...{ taken: 'p-20261122T0300Z@1795316400', store: 'nas', exportBad: '20261101T040000Z' },
  ...{ exportName: '20261122T040000Z', exported: 'p-20261122T0300Z@1795316400' },
  ...{ exportedAt: '2026-11-22T04:01:00.000Z', exportSeen: '2026-11-22T04:02:00.000Z' },
}

test('what is known of exports stays, as long as its times are past', () => {
  expect(after(KNOWN)).toEqual({ fact: KNOWN, lost: [] })
})

test.each(['exportedAt', 'exportSeen', 'exportUnread', 'checkedAt'])(
  '%s in the future has the store looked into anew, and what was bad stays bad',
  (name) => {
    const { taken = '', store = '', exportBad = '' } = KNOWN
    const { fact, lost } = after({ ...KNOWN, [name]: '2027-11-22T04:01:00.000Z' })
    expect(fact).toEqual({ taken, store, exportBad })
    expect(lost).toHaveLength(1)
  },
)
