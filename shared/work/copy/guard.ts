/** What copies block for requests. */

import type { PlanContext } from '../../plan/context.ts'
import type { Finding, Found } from '../../plan/finding.ts'
import { withPartials } from '../../plan/partials.ts'
import { planCopies } from './schedule.ts'

/** Source snapshots that copies need, and those that may be partial. */
export function guardCopies(context: PlanContext, { busy }: Found): Finding {
  const covered = context.coverages.flatMap((coverage) => coverage.covered)
  const world = withPartials(context.world, context.ledger)
  const { blocked, starting, needed } = planCopies(covered, { ...context, world, busy })
  return { blocked, starting, needed, incomplete: world.incomplete }
}
