/** What copies block for requests. */

import { isIn } from '../../incus/pairs.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding, Found } from '../../plan/finding.ts'
import { withPartials } from '../../plan/partials.ts'
import type { Covered } from '../../policy/cover.ts'
import { copyIn } from './entry.ts'
import { wantedOn } from './lasting.ts'
import { verifiedOn } from './marks.ts'
import { replicasOf, restingOf, seeTarget } from './replica.ts'
import { planCopies } from './schedule.ts'

/** Source snapshots that copies need, and those that may be partial. */
export function guardCopies(context: PlanContext, { busy }: Found): Finding {
  const covered = context.coverages.flatMap((coverage) => coverage.covered)
  const world = withPartials(context.world, context.ledger)
  const { blocked, starting, needed } = planCopies(covered, { ...context, world, busy })
  return {
    blocked,
    starting,
    needed,
    kept: keptByCopies(covered, { ...context, world }),
    incomplete: world.incomplete,
  }
}

/** What `copy.keep` wants, of what the source has: a refresh removes from the copy what the source no longer has. */
function keptByCopies(
  covered: readonly Covered[],
  { world, ledger, sorter }: Pick<PlanContext, 'world' | 'ledger' | 'sorter'>,
): Map<string, Map<string, string>> {
  const kept = new Map<string, Map<string, string>>()
  for (const replica of [...replicasOf(covered), ...restingOf(covered)]) {
    const { source, target, wanting } = replica
    const seen = seeTarget(world, target)
    const there = seen.state === 'there' ? verifiedOn(seen.record, copyIn(ledger, replica.key)) : []
    const here = source.record.snapshots ?? []
    const all = [...there, ...here.filter((pair) => !isIn(there, pair))]
    const reason = `its copy on ${target.remote} is to keep it by "copy.keep", and could not without it here: the copy would wait. Want less in "copy.keep", or say "mirror": true under "copy" of policy ${wanting[0]?.covered.policy.name}`
    const names = kept.get(source.key) ?? new Map<string, string>()
    for (const name of wantedOn(replica, all, sorter)) names.set(name, reason)
    kept.set(source.key, names)
  }
  return kept
}
