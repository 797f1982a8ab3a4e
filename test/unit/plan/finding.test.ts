import { expect, test } from 'vitest'
import { combine, type Finding, gather } from '../../../shared/plan/finding.ts'

const needing = (snapshot: string, reason: string): Finding => ({
  needed: new Map([['main/default/web1', new Map([[snapshot, reason]])]]),
})

test('what several find is all of it, in their order', () => {
  const found = combine([{ wake: ['a'], busy: new Map([['x', '1']]) }, { wake: ['b'] }])
  expect(found).toEqual({ wake: ['a', 'b'], busy: new Map([['x', '1']]) })
})

test('snapshots of one instance that several need are all needed', () => {
  const { needed } = gather([needing('a', 'by one'), needing('b', 'by another'), needing('a', 'by a third')])
  expect(needed.get('main/default/web1')).toEqual(
    new Map([
      ['a', 'by a third'],
      ['b', 'by another'],
    ]),
  )
})

test('snapshots of one instance that several hold are all held', () => {
  const held = (name: string): Finding => ({ held: new Map([['web', new Set([name])]]) })
  expect(gather([held('a'), held('b')]).held.get('web')).toEqual(new Set(['a', 'b']))
})

test('of one key said twice the later one holds, and what is forgotten is said as such', () => {
  const entry = (at: string) => ({ state: 'running' as const, attempts: 0, at })
  const { work, blocked } = gather([
    { work: { a: entry('1'), b: entry('1') }, blocked: new Map([['x', 'early']]) },
    { work: { a: entry('2'), b: null }, blocked: new Map([['x', 'late']]) },
  ])
  expect(work).toEqual({ a: entry('2'), b: null })
  expect(blocked.get('x')).toBe('late')
})

test('what nobody says is empty, and not missing', () => {
  const found = gather([])
  expect(
    Object.values(found).map((part) =>
      JSON.stringify(part instanceof Map || part instanceof Set ? [...part] : part),
    ),
  ).toEqual(
    Object.keys(found).map((part) =>
      ['work', 'frozen', 'braked', 'stalled', 'allowed', 'sorted'].includes(part) ? '{}' : '[]',
    ),
  )
  expect(found.needed.get('web')).toBeUndefined()
})
