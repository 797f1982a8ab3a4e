/** What exports by policy begin, where what the store or the server has is out of the ordinary. */
import { describe, expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../../shared/ledger/ledger.ts'
import { placeOf } from '../../../../shared/ledger/work.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import type { World } from '../../../../shared/plan/world.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { Fact } from '../../../../shared/promise/facts.ts'
import { keptUntil } from '../../../../shared/promise/terms.ts'
import { type ExportWork, exportIn } from '../../../../shared/work/export/entry.ts'
import type { ExportRow } from '../../../../shared/work/export/manifest.ts'
import { INSTALLATION, parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = new Date('2026-11-22T10:20:30Z')
const WEB = 'main/default/web'
const POLICY = {
  ...{ schedule: '0 3 * * *', keep: { daily: 9 } },
  export: { to: 'nas', schedule: '0 4 * * *' },
}

type Given = { more?: string; rows?: ExportRow[] | null; entry?: ExportWork; fact?: Fact; stores?: string[] }

function planFor({ more = '', rows = [], entry, fact, stores = ['nas'] }: Given) {
  const seen = parseWorld(`main:default/web running\n  p-20261122T0300Z @2026-11-22T03:00Z\n${more}`)
  const { main } = seen.remotes
  if (main?.ok === true) main.inventory.rules = { role: 'source', minRetention: 0, exports: stores }
  const isPending = entry !== undefined && entry.state !== 'failed'
  const exports: World['exports'] = new Map([
    [placeOf(WEB, 'nas'), { name: isPending ? entry.name : null, rows }],
  ])
  const policy = { accounted: NOW.toISOString(), since: '2026-11-01T00:00:00.000Z', open: null, slots: [] }
  const ledger: Ledger = {
    ...{ ...emptyLedger('v'), policies: { p: policy } },
    work: entry === undefined ? {} : { [`export ${WEB}>nas`]: entry },
  }
  const facts = { at: NOW.toISOString(), subjects: { p: { [WEB]: fact ?? {} } } }
  const world = { ...seen, exports }
  const coverages = coverInstances(configOf({ p: POLICY }), world.remotes)
  return decide({ coverages, world, ledger, facts, now: NOW, installation: INSTALLATION })
}

const begun = (given: Given): string[] =>
  planFor(given).actions.flatMap((one) => (one.kind === 'export' ? [`${one.name} ${one.snapshot}`] : []))

const rowOf = (name: string, madeAt: string): ExportRow => ({
  ...{ store: 'nas', name, madeAt, optimized: false, bytes: 1, sha256: 'a'.repeat(64), encrypted: false },
  snapshot: { name: 'p-20261121T0300Z', createdAt: '2026-11-21T03:00:00Z' },
})

const FAILED: ExportWork = {
  ...{ state: 'failed', store: 'nas', snapshot: 'p-20261122T0300Z', name: '20261122T040000Z', job: 'j' },
  ...{ attempts: 5, at: '2026-11-22T04:00:00.000Z', policy: 'p', reason: 'which is not overwritten' },
}

describe('an export is named after its slot', () => {
  test('as a rule', () => {
    expect(begun({})).toEqual(['20261122T040000Z p-20261122T0300Z'])
  })

  const another = ['20261122T102030Z p-20261122T0300Z']

  test('unless the store has one of that name, or a later one: nothing is overwritten, and the newest name counts', () => {
    expect(begun({ rows: [rowOf('20261122T040000Z', '2026-11-22T03:58:00.000Z')] })).toEqual(another)
    const bad = rowOf('20261122T090000Z', '2026-11-22T09:00:10.000Z')
    expect(begun({ rows: [bad], fact: { store: 'nas', exportBad: bad.name } })).toEqual(another)
  })

  test('or that one was given up', () => {
    expect(begun({ entry: FAILED })).toEqual(another)
  })
})

test('where the newest export is gone from the store, an older one keeps nothing up, and another is made', () => {
  const fact: Fact = {
    ...{ store: 'nas', exportName: '20261122T040000Z', exported: 'p-20261122T0300Z@1795316400' },
    ...{ exportedAt: '2026-11-22T04:01:00.000Z', exportSeen: '2026-11-21T10:00:00.000Z' },
    checkedAt: '2026-11-22T05:00:00.000Z',
  }
  const given = { fact, rows: [rowOf('20261121T040000Z', '2026-11-21T04:01:00.000Z')] }
  const seen = planFor(given).facts?.subjects.p?.[WEB]
  expect(seen).toMatchObject({ exportName: '20261121T040000Z', exportedAt: '2026-11-21T04:01:00.000Z' })
  expect(seen).not.toHaveProperty('checkedAt')
  expect(begun(given)).toEqual(['20261122T102030Z p-20261122T0300Z'])
})

describe('a snapshot that is dated in the future', () => {
  test('is not the one to export', () => {
    expect(begun({ more: '  p-20271122T0300Z @2027-11-22T03:00Z' })).toEqual([
      '20261122T040000Z p-20261122T0300Z',
    ])
  })

  test('keeps the promise for no longer than its export is young', () => {
    const [policy] = configOf({ p: { ...POLICY, promise: { export: '2d' } } }).policies
    if (policy === undefined) throw new Error('there is none')
    const ahead = Date.parse('2027-11-22T03:00Z') / 1000
    const until = keptUntil(policy, 'export', ['old', ahead], new Date('2026-11-22T04:00:00Z'))
    expect(until.toISOString()).toBe('2026-11-24T04:00:00.000Z')
  })
})

describe('an export that has not ended in a store', () => {
  const pending: ExportWork = { ...FAILED, state: 'started', attempts: 0 }

  test('that the relay has no longer is given up, and its policy goes on', () => {
    const { work } = planFor({ entry: pending, rows: null, stores: ['r2'] })
    const entry = exportIn({ work: work as Ledger['work'] }, WEB, 'nas')
    expect(entry).toMatchObject({ state: 'failed', reason: expect.stringContaining('no store "nas"') })
  })

  test('that can’t be read stays, and is looked for again in ten minutes', () => {
    const { work, wake } = planFor({ entry: pending, rows: null })
    expect(exportIn({ work: work as Ledger['work'] }, WEB, 'nas')?.state).toBe('started')
    expect(wake.toSorted()[0]).toBe('2026-11-22T10:30:30.000Z')
  })
})
