/** How long copies are tried. */
import { backoffMinutes } from '../../ledger/attempts.ts'
import type { Patience } from '../life.ts'

const LONGEST = 240

/** A copy is wanted until it is verified, at most every four hours. */
export const PATIENCE: Patience = {
  tries: null,
  minutes: (failed) => backoffMinutes(failed, LONGEST),
  longest: LONGEST,
}
