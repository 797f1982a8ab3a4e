/** A person's wish for snapshots now, apart from the schedule. */

import type { Coverage } from '../policy/cover.ts'
import { compilePaths } from '../policy/glob.ts'

export type Ask = {
  /** The policies whose slot is "now". */
  policies: readonly string[]
  /** Globs over `instance`, `project/instance` or `remote/project/instance`; absent: all that the policies cover. */
  instances?: readonly string[] | undefined
  /** Becomes each line's reason: who asked. */
  reason: string
}

/** What the policies cover, without the instances that nobody asked for. */
export function narrow(coverages: readonly Coverage[], ask: Ask | undefined): readonly Coverage[] {
  if (ask?.instances === undefined) return coverages
  const asked = compilePaths(ask.instances)
  return coverages.map((coverage) => ({
    ...coverage,
    covered: coverage.covered.filter(({ ref }) => asked([ref.remote, ref.project, ref.instance])),
  }))
}
