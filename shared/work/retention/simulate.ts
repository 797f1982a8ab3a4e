/** A removal in a simulation, and its undoing. */
import type { IdealIncus } from '../../simulate/ideal-incus.ts'
import type { Simulated } from '../kind.ts'
import type { ExpireAction, UndoAction } from './action.ts'

export function simulateExpiry({ ref, snapshot, end, reason }: ExpireAction, incus: IdealIncus): Simulated {
  const done =
    end === undefined ? incus.remove(ref, snapshot, reason) : incus.removeLater(ref, snapshot, end, reason)
  return done ? 'done' : 'refused'
}

export function simulateUndo({ ref, snapshot }: UndoAction, incus: IdealIncus): Simulated {
  incus.takeBack(ref, snapshot)
  return 'done'
}
