import { expect, test } from 'vitest'
import { emptyLedger, type Ledger, type OwnLedger } from '../../../shared/ledger/ledger.ts'
import type { Plan } from '../../../shared/plan/plan.ts'
import { record } from '../../../shared/plan/record.ts'

const NOW = new Date('2026-11-22T10:00:00.000Z')
const PLAN: Plan = {
  ...{
    at: NOW.toISOString(),
    actions: [],
    notes: [],
    slots: [],
    work: {},
    frozen: {},
    braked: {},
    stalled: {},
    allowed: {},
    wake: [],
  },
  ...{ requested: false, refusal: null, approval: 'self' },
}
const daysAgo = (days: number): string => new Date(NOW.getTime() - days * 86_400_000).toISOString()
const after = (work: Ledger['work'], learned: Plan['work'] = {}): string[] =>
  Object.keys(
    record(
      { ...emptyLedger('v'), work },
      { plan: { ...PLAN, work: learned }, outcomes: [], run: null, config: 'v', now: NOW },
    ).ledger.work,
  )

test('copies that nobody asked about for a month are forgotten, and what only a later version knows as well', () => {
  const entry = (days: number) => ({ state: 'running' as const, attempts: 0, at: daysAgo(days) })
  expect(
    after({ 'copy a>b': entry(29), 'copy c>d': entry(31), 'later a': entry(29), 'later c': entry(31) }),
  ).toEqual(['copy a>b', 'later a'])
})

test('a restore is forgotten when its kind says so, and not before', () => {
  const failed = { state: 'failed' as const, attempts: 5, at: daysAgo(90) }
  expect(after({ 'restore a': failed })).toEqual(['restore a'])
  expect(after({ 'restore a': failed }, { 'restore a': null })).toEqual([])
})

test("Incus's own slots are written where one was missed, and not because they were served: KV takes few writes", () => {
  const written = new Date(NOW.getTime() - 60_000).toISOString()
  const own = (more: Partial<OwnLedger>): Ledger['incus'] => ({
    main: {
      upTo: written,
      subjects: { 'main/default/web': { schedule: '* * * * *', since: daysAgo(1) } },
      ...{ zone: 60, slots: [] },
      ...more,
    },
  })
  const isWritten = (incus: Ledger['incus']): boolean => {
    const before: Ledger = { ...emptyLedger('v'), wakeAt: written, written, incus: own({}) ?? {} }
    const wake = [new Date(NOW.getTime() + 60_000).toISOString()]
    const plan: Plan = { ...PLAN, wake, incus: incus ?? {} }
    return record(before, { plan, outcomes: [], run: null, config: 'v', now: NOW }).changed
  }
  const slot = NOW.toISOString()
  expect(isWritten(own({ upTo: slot, slots: [{ slot, outcome: 'served', served: 1 }] }))).toBe(false)
  const failures = [{ instance: 'main/default/web', reason: 'x' }]
  expect(isWritten(own({ slots: [{ slot, outcome: 'missed', served: 0, failures }] }))).toBe(true)
  expect(isWritten(own({ zone: 120 }))).toBe(true)
  expect(isWritten({})).toBe(true)
})
