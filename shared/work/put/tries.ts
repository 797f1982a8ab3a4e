/** How often it is tried to restore files: the first failed try is made up for at once. */
import type { RetryPolicy } from '../life.ts'

export const RETRY: RetryPolicy = {
  tries: 4,
  minutes: (failed) => (failed === 1 ? 0 : 2 ** (failed - 2)),
  longest: 30,
}
