/** Tries of a new instance: how often, and what is left when there is no further one. */
import type { RetryPolicy } from '../life.ts'

export const RETRY: RetryPolicy = {
  tries: 4,
  minutes: (failed) => (failed === 1 ? 0 : 2 ** (failed - 2)),
  longest: 30,
}
