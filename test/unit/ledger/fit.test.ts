import { expect, test } from 'vitest'
import { fitLedger } from '../../../shared/ledger/fit.ts'
import { emptyLedger, type Ledger, type SlotRecord } from '../../../shared/ledger/ledger.ts'
import { parseLedger } from '../../../shared/ledger/parse-ledger.ts'

const AT = '2026-11-22T03:00:00.000Z'
const LONG = `no space ${'x'.repeat(50_000)} left`
const names = (count: number) => Array.from({ length: count }, (_, index) => `main/default/web${index}`)

const slot = (count: number): SlotRecord => ({
  slot: AT,
  outcome: 'failed',
  failures: names(count).map((instance) => ({ instance, reason: LONG })),
})

const ledgerOf = (slots: SlotRecord[], tries = 3): Ledger => ({
  ...emptyLedger('v'),
  policies: {
    daily: {
      accounted: AT,
      slots,
      partial: ['main/default/web1/daily-20261122T0300Z'],
      open: {
        slot: AT,
        attempts: Object.fromEntries(
          names(tries).map((name) => [name, { count: 1, reason: LONG, unseen: true as const, retryAt: AT }]),
        ),
        made: { 'main/default/web9': 'daily-20261122T0300Z' },
      },
    },
  },
  work: { 'later main/default/web1': { state: 'running', attempts: 0, at: AT } },
  runs: [{ at: AT, trigger: 'cron', counts: {}, problems: names(5000) }],
})

test('reasons are cut, and a record names a hundred instances and says how many more', () => {
  const { ledger, lost } = parseLedger(JSON.parse(fitLedger(ledgerOf([slot(1000)]))))
  expect(lost).toEqual([])
  const [record] = ledger?.policies.daily?.slots ?? []
  expect(record?.failures).toHaveLength(101)
  expect(record?.failures?.at(-1)?.instance).toBe('900 more')
  expect(record?.failures?.[0]?.reason).toMatch(/^no space x+ … x+ left$/)
  expect(ledger?.runs[0]?.problems).toHaveLength(100)
})

test('it stays the same when it is written again', () => {
  const once = fitLedger(ledgerOf([slot(1000)]))
  expect(fitLedger(JSON.parse(once))).toBe(once)
})

test('however much failed, it fits into KV, and what later ticks work by stays', () => {
  const given = ledgerOf(
    Array.from({ length: 100 }, () => slot(1000)),
    25_000,
  )
  const text = fitLedger(given)
  expect(Buffer.byteLength(text)).toBeLessThan(25 * 1024 * 1024)
  const { daily } = JSON.parse(text).policies
  expect(daily.open.made).toEqual(given.policies.daily?.open?.made)
  expect(Object.keys(daily.open.attempts)).toHaveLength(25_000)
  expect(daily.open.attempts['main/default/web7']).toMatchObject({ count: 1, unseen: true, retryAt: AT })
  expect(daily.partial).toEqual(given.policies.daily?.partial)
  expect(JSON.parse(text).work).toEqual(given.work)
})

test('what is short stays as it is', () => {
  const given = ledgerOf([])
  const short = { ...given, runs: [], policies: { daily: { accounted: AT, open: null, slots: [] } } }
  expect(JSON.parse(fitLedger(short))).toEqual(short)
})
