/** How often a check is tried, where its store can't be read. */
import type { RetryPolicy } from '../life.ts'

const MINUTES = [1, 5, 15]

export const RETRY: RetryPolicy = {
  tries: MINUTES.length + 1,
  minutes: (failed) => MINUTES[Math.min(failed, MINUTES.length) - 1] ?? 0,
  longest: 15,
}
