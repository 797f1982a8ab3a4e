import { expect, test } from 'vitest'
import { AWAY, createRota } from '../../../relay/rota.ts'

const atTime = (count: number) => {
  let time = 0
  const rota = createRota(count, () => time)
  const pass = (ms: number): void => {
    time += ms
  }
  return { ...rota, pass }
}

test('urls are asked as configured, and those that gave no answer last', () => {
  const rota = atTime(3)
  expect(rota.order(true)).toEqual([0, 1, 2])
  rota.failed(0)
  expect(rota.order(true)).toEqual([1, 2, 0])
  rota.failed(1)
  expect(rota.order(true)).toEqual([2, 0, 1])
  rota.answered(0)
  expect(rota.order(true)).toEqual([0, 2, 1])
})

test('one that was away is tried again after a minute by one call, and stays when it answers', () => {
  const rota = atTime(2)
  rota.failed(0)
  rota.pass(AWAY - 1)
  expect(rota.order(true)).toEqual([1, 0])
  rota.pass(1)
  expect(rota.order(true)).toEqual([0, 1])
  expect(rota.order(true)).toEqual([1, 0])
  rota.answered(0)
  expect(rota.order(false)).toEqual([0, 1])
})

test('what does something is never the call that tries it out', () => {
  const rota = atTime(2)
  rota.failed(0)
  rota.pass(AWAY)
  expect(rota.order(false)).toEqual([1, 0])
})

test('where all are away, all are asked all the same', () => {
  const rota = atTime(2)
  rota.failed(0)
  rota.failed(1)
  expect(rota.order(false)).toEqual([0, 1])
})
