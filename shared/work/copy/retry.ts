/** The retry policy of copies. */
import { backoffMinutes } from '../../ledger/attempts.ts'
import type { RetryPolicy } from '../life.ts'

const LONGEST = 240

/** A copy is wanted until it is verified, at most every four hours. */
export const RETRY: RetryPolicy = {
  tries: null,
  minutes: (failed) => backoffMinutes(failed, LONGEST),
  longest: LONGEST,
}
