/** A removal in a simulation. */
import type { IdealIncus } from '../../simulate/ideal-incus.ts'
import type { Simulated } from '../kind.ts'
import type { ExpireAction } from './action.ts'

export function simulateExpiry({ ref, snapshot, end, reason }: ExpireAction, incus: IdealIncus): Simulated {
  if (end === undefined) return incus.remove(ref, snapshot, reason) ? 'done' : 'refused'
  incus.end(ref, snapshot, end)
  return 'done'
}
