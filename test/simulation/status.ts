/** What the status says in a world. */
import { statusOf } from '../../functions/api/status.ts'
import { findConfig } from '../../functions/state/config.ts'
import { readKnown } from '../../functions/state/known.ts'
import type { World } from './world.ts'

/** As it is read in another place than the ticks run in. */
export async function statusIn({ kv, clock }: World, now = new Date(clock.now())) {
  const state = kv.place()
  return statusOf(await findConfig(state), await readKnown(state, now), now)
}

export const warningsOf = async (world: World): Promise<string[]> => (await statusIn(world)).warnings
