/** What somebody asks for, apart from the schedule: what commands and the API turn into, and `decide` plans for. */

import { pathOf } from '../incus/subject.ts'
import type { Coverage } from '../policy/cover.ts'
import { compilePaths } from '../policy/glob.ts'

/** `reason` becomes each line's reason: who asked. What else a request says is known to its kind of work alone. */
export type AnyRequest = { do: string; reason: string }

export type Scope = {
  /** By name; absent: all of them. */
  policies?: readonly string[] | undefined
  /** Globs over `instance`, `project/instance` or `remote/project/instance`; absent: all that the policies cover. */
  instances?: readonly string[] | undefined
}

/** `instance` is a path of the same form, without wildcards, that exactly one instance has. */
export type OneSnapshot = { instance: string; snapshot: string }

/** What the schedule says, of these only. */
export type LookRequest = AnyRequest & { do: 'look' } & Scope

export const isLook = (request: AnyRequest): request is LookRequest => request.do === 'look'

/** What the policies cover, without what nobody asked for. */
export function narrow(coverages: readonly Coverage[], { policies, instances }: Scope): readonly Coverage[] {
  const wanted = coverages.filter(({ policy }) => policies === undefined || policies.includes(policy.name))
  if (instances === undefined) return wanted
  const named = compilePaths(instances)
  return wanted.map((coverage) => ({
    ...coverage,
    covered: coverage.covered.filter(({ key }) => named(pathOf(key))),
  }))
}
