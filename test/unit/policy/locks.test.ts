/** What is told of a store that is called locked. */
import { expect, test } from 'vitest'
import type { StoreRules } from '../../../shared/incus/inventory.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { deletesText } from '../../../shared/policy/locks.ts'
import { parseWorld } from '../plan/world-text.ts'
import { configOf } from './instances.ts'

const MONTH = 30 * 86_400

function warned(rules: StoreRules, more: object = {}): string[] {
  const world = parseWorld('main:default/web running')
  const { main } = world.remotes
  if (main?.ok === true)
    main.inventory.rules = { role: 'source', minRetention: 0, exports: ['r2'], stores: { r2: rules } }
  const policy = { schedule: '0 3 * * *', keep: { last: 9 }, export: { to: 'r2' }, ...more }
  const [coverage] = coverInstances(configOf({ p: policy }), world.remotes)
  return (coverage?.warnings ?? []).map(({ about, reason }) => `${about}: ${reason}`)
}

const locked = { minRetention: MONTH, locked: true } as const

test('that the relay’s own key could delete what it holds, or for how short it can’t', () => {
  expect(warned({ ...locked, deletes: { can: true } })).toEqual([
    expect.stringMatching(/^policy p: store r2 is called locked .* could delete what it holds.*set a lock/),
  ])
  expect(warned({ ...locked, deletes: { can: false, seconds: 7 * 86_400 } })).toEqual([
    expect.stringContaining('shorter than its minRetention'),
  ])
  expect(warned({ ...locked, deletes: { can: null, why: 'AccessDenied' } })).toEqual([
    expect.stringContaining('is not known: AccessDenied'),
  ])
})

test('nothing where it is kept, nobody has looked, it isn’t called locked, or no policy exports there', () => {
  expect(warned({ ...locked, deletes: { can: false } })).toEqual([])
  expect(warned({ ...locked, deletes: { can: false, seconds: MONTH } })).toEqual([])
  expect(warned(locked)).toEqual([])
  expect(warned({ minRetention: MONTH, deletes: { can: true } })).toEqual([])
  expect(warned({ ...locked, deletes: { can: true } }, { export: false })).toEqual([])
  expect(deletesText({ minRetention: 0 })).toBeNull()
})
