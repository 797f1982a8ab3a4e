/** When Incus removes a snapshot that is taken now. */
import { expiresAt } from '../../incus/expiry.ts'
import { minRetentionOf, type World } from '../../plan/world.ts'
import type { Policy } from '../../policy/policy.ts'

const DAY = 86_400

/**
 * By its policy (ISO 8601; null: never). But never while the relay keeps its copy: a refresh could not remove
 * that then, and would wait.
 */
export function ownEnd({ expiry, copy }: Policy, world: Pick<World, 'remotes'>, now: Date): string | null {
  if (expiry === null) return null
  const own = expiresAt(expiry, now).getTime()
  const least = copy === null ? 0 : minRetentionOf(world, copy.remote)
  const kept = least === 0 ? 0 : now.getTime() + (least + DAY) * 1000
  return new Date(Math.max(own, kept)).toISOString()
}

/** Of one on request: by the longest that the policies of its instance say. */
export function requestedEnd(
  policies: readonly Policy[],
  world: Pick<World, 'remotes'>,
  now: Date,
): string | null {
  const ends = policies.map((policy) => ownEnd({ ...policy, expiry: policy.manual.expiry }, world, now))
  return ends.includes(null) ? null : (ends.toSorted().at(-1) ?? null)
}
