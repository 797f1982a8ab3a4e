/** How often a removal is tried: until it is gone, or taken back. */
import type { RetryPolicy } from '../life.ts'

export const RETRY: RetryPolicy = { tries: null, minutes: () => 60, longest: 24 * 60 }
