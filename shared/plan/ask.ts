/** A person's wish, apart from the schedule: what commands and the API turn into, and `decide` plans for. */
import type { Coverage } from '../policy/cover.ts'
import { compilePaths } from '../policy/glob.ts'

type Scope = {
  /** By name; absent: all of them. */
  policies?: readonly string[] | undefined
  /** Globs over `instance`, `project/instance` or `remote/project/instance`; absent: all that the policies cover. */
  instances?: readonly string[] | undefined
}

/** `instance` is a path of the same form, without wildcards, that exactly one instance has. */
type One = { instance: string; snapshot: string }

export type Ask = {
  /** Becomes each line's reason: who asked. */
  reason: string
} & (
  | ({ do: 'look' } & Scope) // what the schedule says, of these only
  | ({ do: 'snapshot' } & Scope) // without policies one for each instance, else one for each policy
  | ({ do: 'copy' } & Scope) // start what is not verified, whatever is due, retries included
  | ({ do: 'expire'; snapshots?: readonly string[] | undefined } & Scope) // what retention no longer keeps; or these, by glob
  | ({ do: 'restore'; stateful?: boolean } & One) // `stateful`: with the memory that the snapshot holds
  | ({ do: 'hold'; note: string } & One)
  | ({ do: 'release' } & One)
)

const DESTRUCTIVE: Record<Ask['do'], boolean> = {
  look: false,
  snapshot: false,
  copy: false,
  hold: false,
  release: false,
  expire: true,
  restore: true,
}

/** Data is lost by it, so somebody has to confirm its plan. */
export const isDestructive = (wish: Ask['do']): boolean => DESTRUCTIVE[wish]

/** What the policies cover, without what nobody asked for. */
export function narrow(coverages: readonly Coverage[], ask: Ask | undefined): readonly Coverage[] {
  if (ask === undefined || !('policies' in ask || 'instances' in ask)) return coverages
  const { policies, instances } = ask
  const asked = coverages.filter(({ policy }) => policies === undefined || policies.includes(policy.name))
  if (instances === undefined) return asked
  const named = compilePaths(instances)
  return asked.map((coverage) => ({
    ...coverage,
    covered: coverage.covered.filter(({ ref }) => named([ref.remote, ref.project, ref.instance])),
  }))
}
