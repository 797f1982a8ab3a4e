/** When the newest export is read again by policy. */
import { expect, test } from 'vitest'
import { emptyLedger, type Ledger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { CheckWork } from '../../../../shared/work/check/entry.ts'
import { INSTALLATION, parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = new Date('2026-11-22T10:20:30Z')
const WEB = 'main/default/web'

/** Exported on Monday, to be read again after five days. */
function checksAfter(entry: CheckWork | null, now = NOW): string[] {
  const world = parseWorld('main:default/web running\n  p-20261116T0300Z @2026-11-16T03:00Z')
  const { main } = world.remotes
  if (main?.ok === true) main.inventory.rules = { role: 'source', minRetention: 0, exports: ['nas'] }
  const policy = { accounted: NOW.toISOString(), since: '2026-11-01T00:00:00.000Z', open: null, slots: [] }
  const ledger: Ledger = {
    ...{ ...emptyLedger('v'), policies: { p: policy } },
    work: entry === null ? {} : { [`check ${WEB}>${entry.store}`]: entry },
  }
  const fact = {
    ...{ store: 'nas', exportName: '20261116T040000Z', exported: 'p-20261116T0300Z@1794798000' },
    ...{ exportedAt: '2026-11-16T04:01:00.000Z', exportSeen: '2026-11-22T04:01:00.000Z' },
  }
  const exporting = { to: 'nas', schedule: '0 4 * * 1', check: '5d' }
  const config = configOf({ p: { schedule: '0 3 * * 1', keep: { last: 9 }, export: exporting } })
  const facts = { at: NOW.toISOString(), subjects: { p: { [WEB]: fact } } }
  const coverages = coverInstances(config, world.remotes)
  const { actions } = decide({ coverages, world, ledger, facts, now, installation: INSTALLATION })
  return actions.flatMap((one) => (one.kind === 'check' ? [`${one.store} ${one.name}`] : []))
}

const FAILED: CheckWork = {
  ...{ state: 'failed', store: 'nas', name: '20261116T040000Z', job: 'j', attempts: 1 },
  at: '2026-11-21T05:00:00.000Z',
}

test('one that could not be read is read again some hours later', () => {
  expect(checksAfter(FAILED)).toEqual(['nas 20261116T040000Z'])
})

test('one that somebody cancelled is not, until the policy’s time is over once more', () => {
  const cancelled = '2026-11-21T04:59:00.000Z'
  expect(checksAfter({ ...FAILED, cancelled })).toEqual([])
  const at = '2026-11-17T05:00:00.000Z'
  expect(checksAfter({ ...FAILED, cancelled: at, at })).toEqual(['nas 20261116T040000Z'])
})

test('one is read again though the next is owed, which may never come; only the slot goes first', () => {
  expect(checksAfter(null, new Date('2026-11-23T04:30:00Z'))).toEqual([])
  expect(checksAfter(null, new Date('2026-11-23T10:30:00Z'))).toEqual(['nas 20261116T040000Z'])
})
