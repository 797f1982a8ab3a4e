import { describe, expect, test } from 'vitest'
import { jitterSeconds } from '../../../shared/schedule/jitter.ts'

const seeds = Array.from({ length: 3000 }, (_, at) => `daily main/default/web${at}`)

describe('jitterSeconds', () => {
  test.each([
    ['daily main/default/web1', 3600, 1361],
    ['daily main/default/web2', 3600, 2302],
    ['täglich main/default/web1', 3600, 3006],
  ])('of "%s" never changes, as it decides when an instance runs', (seed, window, seconds) => {
    expect(jitterSeconds(seed, window)).toBe(seconds)
  })

  test('is none without a window', () => {
    expect(new Set(seeds.map((seed) => jitterSeconds(seed, 0)))).toEqual(new Set([0]))
  })

  test('is a whole second in the window', () => {
    for (const seed of seeds) {
      const seconds = jitterSeconds(seed, 90)
      expect(Number.isInteger(seconds) && seconds >= 0 && seconds < 90, `${seed}: ${seconds}`).toBe(true)
    }
  })

  test('spreads instances whose names differ in the last digits evenly', () => {
    const counts = new Array<number>(30).fill(0)
    for (const seed of seeds) counts[jitterSeconds(seed, 30)] = (counts[jitterSeconds(seed, 30)] ?? 0) + 1
    expect(Math.min(...counts)).toBeGreaterThan(60)
    expect(Math.max(...counts)).toBeLessThan(145)
  })
})
