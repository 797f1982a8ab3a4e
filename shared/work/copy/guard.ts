/** What copies block for requests. */
import type { Finding, Found } from '../../plan/finding.ts'
import { sureOf } from '../../plan/partials.ts'
import type { Scene } from '../../plan/question.ts'
import { planCopies } from './schedule.ts'

/** Source snapshots that copies need, and those that may be partial. */
export function guardCopies(scene: Scene, { busy }: Found): Finding {
  const covered = scene.coverages.flatMap((coverage) => coverage.covered)
  const world = sureOf(scene.world, scene.ledger)
  const { blocked, starting, needed } = planCopies(covered, { ...scene, world, busy })
  return { blocked, starting, needed, incomplete: world.incomplete }
}
