/** Time that passes only when told to; between two timers everything that can go on does so. */
import type { Clock } from '../../../shared/clock.ts'

export type VirtualClock = Clock & {
  /** Fires what falls due on the way. */
  advance(ms: number): Promise<void>
  /** Lets time pass until that is done. */
  until<T>(work: Promise<T>): Promise<T>
}

const START = Date.parse('2026-11-22T03:00:00Z')

export function createVirtualClock(): VirtualClock {
  let now = START
  let order = 0
  const timers: { at: number; order: number; run: () => void }[] = []

  const fireNext = (limit: number): boolean => {
    timers.sort((a, b) => a.at - b.at || a.order - b.order)
    const next = timers[0]
    if (next === undefined || next.at > limit) return false
    timers.shift()
    now = next.at
    next.run()
    return true
  }
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, order: order++, run }
      timers.push(timer)
      return () => {
        const at = timers.indexOf(timer)
        if (at >= 0) timers.splice(at, 1)
      }
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      while (fireNext(end)) await settle()
      now = end
    },
    async until(work) {
      let over = false
      void work.finally(() => {
        over = true
      })
      await settle()
      while (!over && fireNext(Number.POSITIVE_INFINITY)) await settle()
      return work
    },
  }
}

/** All microtasks, however many follow from each other. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
