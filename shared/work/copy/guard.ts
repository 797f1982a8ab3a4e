/** What copies keep others from, when somebody asks for something. */
import type { Finding, Found } from '../../plan/finding.ts'
import { sureOf } from '../../plan/partials.ts'
import type { Scene } from '../../plan/question.ts'
import { planCopies } from './schedule.ts'

/** What copies need of their sources, and what of these may be partial. */
export function guardCopies(scene: Scene, { busy }: Found): Finding {
  const covered = scene.coverages.flatMap((coverage) => coverage.covered)
  const world = sureOf(scene.world, scene.ledger)
  const { blocked, starting, needed } = planCopies(covered, { ...scene, world, busy })
  return { blocked, starting, needed, incomplete: world.incomplete }
}
