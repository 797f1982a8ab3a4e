/** What conditions are about, and who may see them. */
import { describe, expect, test } from 'vitest'
import { withAnswer } from '../../../shared/answered.ts'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import { troublesOf } from '../../../shared/notify/trouble.ts'
import { type Condition, shownTo } from '../../../shared/promise/condition.ts'
import { conditionsOf } from '../../../shared/promise/conditions.ts'
import type { Fact, Facts } from '../../../shared/promise/facts.ts'
import { configOf } from '../policy/instances.ts'

const NOW = new Date('2026-11-22T05:30:00Z')
const WEB = 'main/default/web'
const DB = 'main/default/db'

function conditions(ledger: Partial<Ledger>, facts: Partial<Facts> = {}): Condition[] {
  const { policies } = configOf({ main: { schedule: '@hourly', keep: { last: 9 } } })
  const known = { at: NOW.toISOString(), subjects: { main: { [WEB]: {} } }, ...facts }
  return conditionsOf(
    {
      policies,
      applied: { version: 'v1', appliedAt: NOW.toISOString() },
      ledger: { ...emptyLedger('v1'), wakeAt: NOW.toISOString(), written: NOW.toISOString(), ...ledger },
      facts: known,
      now: NOW,
    },
    [],
  )
}

const seenBy = (all: readonly Condition[], key: string): string[] =>
  all.flatMap((one) => shownTo(one, (asked) => asked === key)?.id ?? [])

describe('whoever may see only some instances', () => {
  test('is not told the names of others that no policy covers', () => {
    const all = conditions({}, { uncovered: { 'main/default': 'db lab' } })
    expect(all).toMatchObject([{ id: 'uncovered main/default', kind: 'remote', about: 'main' }])
    expect(seenBy(all, WEB)).toEqual([])
    expect(all.flatMap((one) => shownTo(one, (key) => key.startsWith('main/default/')) ?? [])).toHaveLength(1)
  })

  test('is not told why others have no snapshot of a slot', () => {
    const failures = [{ instance: DB, reason: 'the disk of the ledgers of ACME is full' }]
    const slot = { slot: NOW.toISOString(), outcome: 'failed', failures } as const
    const main = { accounted: NOW.toISOString(), open: null, slots: [slot] }
    const all = conditions({ policies: { main } })
    expect(seenBy(all, WEB)).toEqual([])
    expect(seenBy(all, DB)).toEqual(['slots main'])
  })

  test.each([
    'open /var/lib/incus/storage-pools/default/containers/web: read-only file system',
    'Get "https://10.0.0.1:8443/1.0/instances/web": EOF',
  ])('is told that there is something, though an error names what looks like others: %s', (reason) => {
    const attempts = { [WEB]: { count: 4, reason } }
    const main = { accounted: NOW.toISOString(), open: { slot: NOW.toISOString(), attempts }, slots: [] }
    const [failing] = conditions({ policies: { main } })
    const shown = failing === undefined ? null : shownTo(failing, (key) => key === WEB)
    expect(shown).toMatchObject({
      severity: 'critical',
      about: WEB,
      text: expect.stringContaining('ask somebody'),
    })
    expect(JSON.stringify(shown)).not.toContain('instances/web')
    expect(failing === undefined ? null : shownTo(failing, (key) => key === DB)).toBeNull()
  })

  test('is told that Incus takes snapshots of theirs beside stapes, or never, though others are named, too', () => {
    const scheduled = { '@daily / ': `${DB} ${WEB}`, '@hourly / 7d': `${DB} ${WEB}` }
    expect(seenBy(conditions({}, { scheduled }), WEB)).toEqual([`hidden schedule ${WEB}`])
    const one = { schedule: '0 3 * *', since: NOW.toISOString(), dead: ['0 3 * *'] }
    const main = { upTo: NOW.toISOString(), zone: 0, slots: [], subjects: { [DB]: one, [WEB]: one } }
    expect(seenBy(conditions({ incus: { main } }), WEB)).toEqual([`hidden own ${WEB}`])
  })

  test('is not shown an instance of a project whose name has a colon', () => {
    const problems = ['main/a:b/secret: it has the marks of a copy']
    expect(seenBy(conditions({ sight: { covered: {}, problems } }), WEB)).toEqual([])
  })

  test('is not told what the brake holds back of others, whatever its text says', () => {
    const braked = {
      [`expiry main ${DB}`]: 'too much would go',
      [`copy ${WEB}>backup/default/web`]: 'it waits',
    }
    const all = conditions({ sight: { covered: {}, braked } })
    expect(all).toMatchObject([
      { kind: 'instance', about: DB },
      { kind: 'instance', about: WEB },
    ])
    expect(seenBy(all, WEB)).toEqual([`brake copy ${WEB}>backup/default/web`])
  })
})

test('a path in a text of a server is no instance', () => {
  const problems = ['main: open /var/lib/incus/database: no space left on device']
  expect(conditions({ sight: { covered: {}, problems } })).toMatchObject([{ kind: 'all', about: null }])
})

test('a policy is not taken for a remote of the same name', () => {
  const [empty] = conditions({}, { subjects: { main: {} } })
  expect(empty).toMatchObject({ id: 'empty main', kind: 'policy', about: 'main' })
  const [told] = troublesOf({ tone: 'warning', promises: [], conditions: empty === undefined ? [] : [empty] })
  expect(told).toMatchObject({ policies: ['main'], remotes: [] })
})

describe('a store that can’t be read', () => {
  const told = (fact: Fact): Condition[] => {
    const { policies } = configOf({ main: { schedule: '@hourly', keep: { last: 9 }, export: { to: 'nas' } } })
    const applied = { version: 'v1', appliedAt: NOW.toISOString() }
    const ledger = { ...emptyLedger('v1'), wakeAt: NOW.toISOString(), written: NOW.toISOString() }
    const facts = { at: NOW.toISOString(), subjects: { main: { [WEB]: fact } } }
    return conditionsOf({ policies, applied, ledger, facts, now: NOW }, [])
  }
  const exported = { store: 'nas', exported: 's@1795316400', exportedAt: '2026-11-20T04:00:00.000Z' }
  const exportUnread = '2026-11-22T05:20:00.000Z'

  test('is told, though the newest export in it may be young enough, once the daily look was missed', () => {
    const exportSeen = '2026-11-21T04:00:00.000Z'
    expect(told({ ...exported, exportSeen, exportUnread })).toMatchObject([
      { id: 'store nas', severity: 'warning', since: exportSeen, each: [WEB] },
    ])
  })

  test('is not told at once, nor of another store, nor once it was read again', () => {
    expect(told({ ...exported, exportSeen: '2026-11-21T05:00:00.000Z', exportUnread })).toEqual([])
    expect(told({ ...exported, exportSeen: '2026-11-20T05:00:00.000Z' })).toEqual([])
    const other = { ...exported, store: 'r2', exportSeen: '2026-11-20T05:00:00.000Z', exportUnread }
    expect(told(other)).toEqual([])
  })
})

test('the same trouble stays the same though the server answers otherwise, and another one is another', () => {
  const seen = (text: string, answer: string) => {
    const all = conditions({ sight: { covered: {}, roles: [], warnings: [withAnswer(text, answer)] } })
    return [
      ...all.map(({ id }) => id),
      ...troublesOf({ tone: 'warning', promises: [], conditions: all }).map(({ id }) => id),
    ]
  }
  const left = 'main: what an export was made from could not be removed; it is tried again'
  expect(seen(left, 'disk is busy')).toEqual(seen(left, 'no space left on device'))
  expect(seen(left, 'disk is busy')).not.toEqual(seen(left.replace('an export', 'files'), 'disk is busy'))
})
