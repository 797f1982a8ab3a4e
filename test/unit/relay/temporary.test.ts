import { expect, test } from 'vitest'
import { temporaryOf } from '../../../relay/engine/temporary.ts'

test('each export of an instance is made from an instance of its own, which each try finds again', () => {
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  const names = [
    ['nas', '20261120T040000Z'],
    ['r2', '20261120T040000Z'],
    ['nas', '20261120T050000Z'],
    ['nas', '20261120T040000Z'],
  ].map(([store = '', name = '']) => temporaryOf(ref, { store, name }).instance)
  expect(new Set(names).size).toBe(3)
  expect(names[3]).toBe(names[0])
})
