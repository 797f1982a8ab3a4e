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
