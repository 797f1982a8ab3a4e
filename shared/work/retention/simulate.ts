/** An expiry in a simulation. */
import type { IdealIncus } from '../../simulate/ideal-incus.ts'
import type { Simulated } from '../kind.ts'
import type { ExpireAction } from './action.ts'

export const simulateExpiry = ({ ref, snapshot, reason }: ExpireAction, incus: IdealIncus): Simulated =>
  incus.remove(ref, snapshot, reason) ? 'done' : 'refused'
