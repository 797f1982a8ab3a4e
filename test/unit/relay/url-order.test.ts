import { expect, test } from 'vitest'
import { createUrlOrder, RETRY_AFTER } from '../../../relay/url-order.ts'

const atTime = (count: number) => {
  let time = 0
  const urlOrder = createUrlOrder(count, () => time)
  const pass = (ms: number): void => {
    time += ms
  }
  return { ...urlOrder, pass }
}

test('urls are asked as configured, and those that gave no answer last', () => {
  const urlOrder = atTime(3)
  expect(urlOrder.order(true)).toEqual([0, 1, 2])
  urlOrder.failed(0)
  expect(urlOrder.order(true)).toEqual([1, 2, 0])
  urlOrder.failed(1)
  expect(urlOrder.order(true)).toEqual([2, 0, 1])
  urlOrder.answered(0)
  expect(urlOrder.order(true)).toEqual([0, 2, 1])
})

test('one that was away is tried again after a minute by one call, and stays when it answers', () => {
  const urlOrder = atTime(2)
  urlOrder.failed(0)
  urlOrder.pass(RETRY_AFTER - 1)
  expect(urlOrder.order(true)).toEqual([1, 0])
  urlOrder.pass(1)
  expect(urlOrder.order(true)).toEqual([0, 1])
  expect(urlOrder.order(true)).toEqual([1, 0])
  urlOrder.answered(0)
  expect(urlOrder.order(false)).toEqual([0, 1])
})

test('what does something is never the call that tries it out', () => {
  const urlOrder = atTime(2)
  urlOrder.failed(0)
  urlOrder.pass(RETRY_AFTER)
  expect(urlOrder.order(false)).toEqual([1, 0])
})

test('where all are away, all are asked all the same', () => {
  const urlOrder = atTime(2)
  urlOrder.failed(0)
  urlOrder.failed(1)
  expect(urlOrder.order(false)).toEqual([0, 1])
})
