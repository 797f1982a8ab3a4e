/** Snapshots that may be partial: the outcome of their creation is unknown. Copies and retention don't count them. */
import type { Ledger, PolicyLedger } from '../ledger/ledger.ts'
import { unknownIn } from '../ledger/unseen.ts'
import type { World } from './world.ts'

/** All of a policy's, as `subject key/snapshot`. */
export const partialsIn = (policy: string, { open, partial = [] }: PolicyLedger): string[] => [
  ...partial,
  ...unknownIn(policy, open),
]

/** The world in which those that the ledger knows count as incomplete. */
export const withPartials = (world: World, { policies }: Ledger): World => {
  const partials = Object.entries(policies).flatMap(([policy, ledger]) => partialsIn(policy, ledger))
  return { ...world, incomplete: new Set([...world.incomplete, ...world.unseen, ...partials]) }
}
