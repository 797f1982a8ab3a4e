/** One policy as it holds for one instance, and where each of its values comes from. */
import { orNull, SETTINGS, withoutZeros } from './fill.ts'
import type { Origin, Override, Overrides } from './overrides.ts'
import type { Policy } from './policy.ts'

export type Effective = {
  policy: Policy
  /** By path; a rule of `keep` is only there by itself when it was overridden. */
  from: Readonly<Record<string, Origin>>
  /** Why nothing of the instance may expire: an override can't be understood. */
  blocked: string | null
}

/** The policy where nothing is overridden: one for all its instances. */
export function unmerged(policy: Policy): Effective {
  const origin = (path: string): Origin => {
    const filled = policy.filled?.[path]
    return filled === undefined ? { kind: 'policy', policy: policy.name } : { kind: filled }
  }
  return {
    policy,
    from: Object.fromEntries(SETTINGS.map((path) => [path, origin(path)])),
    blocked: null,
  }
}

/** Gives back `base` itself when there is nothing to merge. */
export function merge(base: Effective, overrides: Overrides | null): Effective {
  if (overrides === null) return base
  const { policy } = base
  const problems = overrides.problems.filter((one) => one.policy === null || one.policy === policy.name)
  const blocked = problems[0] === undefined ? null : problems[0].message
  const values = inForce(overrides, policy.name)
  const merged = values.reduce(apply, policy)
  const from = Object.fromEntries(values.map((one) => [pathOf(one), one.origin]))
  return { policy: { ...merged, keep: withoutZeros(merged.keep) }, from: { ...base.from, ...from }, blocked }
}

/** The overrides that concern a policy, one for each setting: what is said for it alone wins. */
export function inForce({ values }: Overrides, policy: string): Override[] {
  const byPath = new Map<string, Override>()
  for (const scope of [null, policy])
    for (const one of values) if (one.policy === scope) byPath.set(pathOf(one), one)
  return [...byPath.values()]
}

const pathOf = (override: Override): string =>
  override.setting === 'keep' ? `keep.${override.rule}` : override.setting

/** Which policies cover the instance, and whether it is excluded or paused, is for select.ts. */
function apply(policy: Policy, override: Override): Policy {
  switch (override.setting) {
    case 'stateful':
      return { ...policy, stateful: override.value }
    case 'expiry':
      return { ...policy, expiry: orNull(override.value) }
    case 'keep':
      return { ...policy, keep: { ...policy.keep, [override.rule]: override.value } }
    case 'copy':
      return override.value ? policy : { ...policy, copy: null }
    default:
      return policy
  }
}
