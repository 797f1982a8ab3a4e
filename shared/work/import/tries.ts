/** How often an import is tried: a store that is down is mostly back within the hour. */
import type { RetryPolicy } from '../life.ts'

const MINUTES = [1, 5, 15]

export const RETRY: RetryPolicy = {
  tries: MINUTES.length + 1,
  minutes: (failed) => MINUTES[Math.min(failed, MINUTES.length) - 1] ?? 0,
  longest: 15,
}
