/** Tries of a new instance: how often, and what is left when there is no further one. */
import type { RetryPolicy } from '../life.ts'

export const RETRY: RetryPolicy = {
  tries: 4,
  minutes: (failed) => (failed === 1 ? 0 : 2 ** (failed - 2)),
  longest: 30,
}

/** So often one that is whole is started; then its mark goes all the same. */
export const STARTS = 3
