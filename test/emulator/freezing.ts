/** A running instance stands still where its pool has no cheap snapshots; killed meanwhile, it stays so. */
import type { EmbeddedIncus } from './server.ts'
import { findPool, type Instance } from './state.ts'

export const isFreezing = ({ state }: EmbeddedIncus, { pool }: Instance): boolean =>
  findPool(state, pool).driver === 'dir'

/** What runs is frozen, and thawed by what is returned; what is frozen already stays so. */
export function freeze(instance: Instance): () => void {
  if (instance.status !== 'Running') return () => {}
  instance.status = 'Frozen'
  return () => {
    if (instance.status === 'Frozen') instance.status = 'Running'
  }
}
