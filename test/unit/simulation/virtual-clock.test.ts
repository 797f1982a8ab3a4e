import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../simulation/random.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

describe('the virtual clock', () => {
  test('runs timers in the order of their instants, whatever the order of setting', async () => {
    const clock = new VirtualClock(0)
    const random = seededRandom(7)
    const seen: number[] = []
    const delays = Array.from({ length: 200 }, () => Math.floor(random() * 1000))
    for (const ms of delays) clock.after(ms, () => seen.push(clock.now()))
    await clock.advance(1000)
    expect(seen).toEqual([...delays].sort((a, b) => a - b))
  })

  test('keeps the order of setting within an instant, and runs what is set meanwhile', async () => {
    const clock = new VirtualClock(0)
    const seen: string[] = []
    clock.after(10, () => {
      seen.push('first')
      clock.after(0, () => seen.push('third'))
    })
    clock.after(10, () => seen.push('second'))
    await clock.advance(10)
    expect(seen).toEqual(['first', 'second', 'third'])
  })

  test('leaves out what was called off, and what is not yet due', async () => {
    const clock = new VirtualClock(0)
    const seen: string[] = []
    clock.after(5, () => seen.push('off'))()
    clock.after(11, () => seen.push('later'))
    await clock.advance(10)
    expect(seen).toEqual([])
    await clock.advance(11)
    expect(seen).toEqual(['later'])
  })

  test('lets promises go on between two instants', async () => {
    const clock = new VirtualClock(0)
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve))
    const work = async (): Promise<number> => {
      for (let i = 0; i < 5; i++) await sleep(100)
      return clock.now()
    }
    const done = work()
    await clock.advance(10_000)
    expect(await done).toBe(500)
  })

  test('moves only as far as a promise needs', async () => {
    const clock = new VirtualClock(0)
    clock.after(1000, () => {})
    const value = await clock.settle(new Promise((resolve) => clock.after(300, () => resolve('done'))))
    expect([value, clock.now()]).toEqual(['done', 300])
  })

  test('says so when nothing fulfils a promise', async () => {
    const clock = new VirtualClock(0)
    await expect(clock.settle(new Promise(() => {}))).rejects.toThrow('fulfils the promise')
  })

  test('does not run backwards', async () => {
    await expect(new VirtualClock(10).advance(5)).rejects.toThrow('backwards')
  })
})
