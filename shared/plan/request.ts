/** Requests: commands and the API are turned into these, and `decide` plans for them. */

import { pathOf } from '../incus/subject.ts'
import type { Coverage } from '../policy/cover.ts'
import { compilePaths } from '../policy/glob.ts'

/** `reason` becomes each line's reason: who requested it. Only its kind of work knows the other fields. */
export type AnyRequest = { do: string; reason: string }

export type Scope = {
  /** By name; absent: all of them. */
  policies?: readonly string[] | undefined
  /** Globs over `instance`, `project/instance` or `remote/project/instance`; absent: all that the policies cover. */
  instances?: readonly string[] | undefined
}

/**
 * What the brake holds back, once: expiries and refreshes of what is named. `snapshots`: by glob, instead of what
 * retention no longer keeps.
 */
export type AllowRequest = AnyRequest & { do: 'allow'; snapshots?: readonly string[] | undefined } & Scope

/** `instance` is a path of the same form, without wildcards, that exactly one instance has. */
export type OneSnapshot = { instance: string; snapshot: string }

/** A dry run of the schedule, for these only. */
export type LookRequest = AnyRequest & { do: 'look' } & Scope

export const isLook = (request: AnyRequest): request is LookRequest => request.do === 'look'

/** The coverages, narrowed to what the request names. */
export function narrow(coverages: readonly Coverage[], { policies, instances }: Scope): readonly Coverage[] {
  const wanted = coverages.filter(({ policy }) => policies === undefined || policies.includes(policy.name))
  if (instances === undefined) return wanted
  const named = compilePaths(instances)
  return wanted.map((coverage) => ({
    ...coverage,
    covered: coverage.covered.filter(({ key }) => named(pathOf(key))),
    ...(coverage.buckets === undefined
      ? {}
      : { buckets: coverage.buckets.filter(({ key }) => named(pathOf(key))) }),
  }))
}
