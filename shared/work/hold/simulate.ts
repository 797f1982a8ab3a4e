/** A hold in a simulation: only the expiry that it lifts, postpones or sets. */
import type { IdealIncus } from '../../simulate/ideal-incus.ts'
import type { Simulated } from '../kind.ts'
import type { HoldAction } from './action.ts'

export function simulateHold({ ref, snapshot, expiresAt }: HoldAction, incus: IdealIncus): Simulated {
  if (expiresAt === null) incus.end(ref, snapshot, null)
  else incus.postpone(ref, snapshot, expiresAt)
  return 'done'
}
