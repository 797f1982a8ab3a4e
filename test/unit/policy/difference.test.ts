import { expect, test } from 'vitest'
import { documentDifference } from '../../../shared/policy/difference.ts'

test('each key that differs is named with both values, and what only one document has', () => {
  const before = {
    defaults: { remotes: ['main'] },
    policies: { daily: { schedule: '@daily', keep: { daily: 14, weekly: 4 } }, old: { schedule: '@weekly' } },
  }
  const after = {
    defaults: { remotes: ['main', 'lab'] },
    policies: { daily: { schedule: '@daily', keep: { daily: 1 }, expiry: '28d' }, fresh: {} },
  }
  expect(documentDifference(before, after)).toEqual([
    '~ defaults.remotes: ["main"] → ["main","lab"]',
    '~ policies.daily.keep.daily: 14 → 1',
    '- policies.daily.keep.weekly: 4',
    '+ policies.daily.expiry: "28d"',
    '- policies.old: {"schedule":"@weekly"}',
    '+ policies.fresh: {}',
  ])
})

test('equal documents differ in nothing, whatever the order of their keys', () => {
  expect(documentDifference({ a: 1, b: [2] }, { b: [2], a: 1 })).toEqual([])
})

test('a value stays on its line, and one of another kind is a difference', () => {
  expect(documentDifference({ a: 'x\u001b[31m\u202ey' }, { a: { b: 1 } })).toEqual([
    '~ a: "x\\u001b[31m y" → {"b":1}',
  ])
  expect(documentDifference(null, {})).toEqual(['~ the document: null → {}'])
})
