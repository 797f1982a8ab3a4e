import { expect, test } from 'vitest'
import { createJobMemory } from '../../../relay/engine/job-memory.ts'
import { growthOf } from '../../fuzz/effort.ts'
import { createVirtualClock } from './virtual-clock.ts'

test('the memory of detached jobs has a bound, whatever families they say to be of', async () => {
  const memory = createJobMemory(createVirtualClock(), 100)
  let jobs = 0
  const grown = await growthOf(async (share) => {
    for (let at = 0; at < 400_000 * share; at++) {
      const id = `job ${++jobs}`
      if (!memory.makeRoom()) expect.fail('no room')
      memory.begin({ id, family: `family ${jobs}` })
      memory.change(id, { state: 'done' })
    }
  })
  expect(grown).toBe(0)
  expect(memory.reports()).toHaveLength(100)
})

test('memos have a bound in all: the oldest ended jobs go, and live ones leave no room for more', () => {
  const memory = createJobMemory(createVirtualClock())
  const memo = 'x'.repeat(7_000_000)
  for (let at = 0; at < 20; at += 1) {
    expect(memory.makeRoom()).toBe(true)
    memory.begin({ id: `ended ${at}`, memo })
    memory.change(`ended ${at}`, { state: 'done' })
  }
  expect(memory.reports().length).toBeLessThanOrEqual(10)
  expect(memory.knows('ended 19')).toBe(true)
  let live = 0
  while (memory.makeRoom() && live < 50) memory.begin({ id: `live ${live++}`, memo })
  expect(live).toBeLessThan(12)
})
