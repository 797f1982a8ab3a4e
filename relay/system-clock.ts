/** The real time as a `Clock`. */
import type { Clock } from '../shared/clock.ts'

type SystemClock = Clock & {
  /** Cancels all pending timers; promises that wait for them never settle. */
  stop(): void
}

export function createSystemClock(): SystemClock {
  const timers = new Set<NodeJS.Timeout>()
  let stopped = false
  return {
    now: () => Date.now(),
    after(ms, run) {
      if (stopped) return () => {}
      const timer = setTimeout(() => {
        timers.delete(timer)
        run()
      }, ms)
      timers.add(timer)
      return () => {
        clearTimeout(timer)
        timers.delete(timer)
      }
    },
    stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
