/** Snapshots that may be partial: nobody saw the end of their creation. Neither copies nor retention count on them. */
import type { Ledger, PolicyLedger } from '../ledger/ledger.ts'
import { unseenIn } from '../ledger/unseen.ts'
import type { World } from './world.ts'

/** All of a policy's, as `subject key/snapshot`. */
export const partialsIn = (policy: string, { open, partial = [] }: PolicyLedger): string[] => [
  ...partial,
  ...unseenIn(policy, open),
]

/** The world in which what the ledger knows of them is not there yet. */
export const sureOf = (world: World, { policies }: Ledger): World => {
  const partials = Object.entries(policies).flatMap(([policy, ledger]) => partialsIn(policy, ledger))
  return { ...world, incomplete: new Set([...world.incomplete, ...world.unseen, ...partials]) }
}
