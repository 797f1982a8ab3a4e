/** When Incus removes a snapshot that is taken now. */
import { expiresAt } from '../../incus/expiry.ts'
import { type InstanceRef, subjectKey } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { World } from '../../plan/world.ts'
import { targetOf } from '../../policy/places.ts'
import type { Policy } from '../../policy/policy.ts'
import { copyIn } from '../copy/entry.ts'
import { leastOn, replicaKey } from '../copy/replica.ts'

const DAY = 86_400

type Ending = {
  /** The instance that it is taken of. */
  ref: InstanceRef
  world: Pick<World, 'remotes'>
  ledger: Pick<Ledger, 'work'>
  now: Date
}

/**
 * By its policy (ISO 8601; null: never). But never while the relay keeps its copy: a refresh could not remove
 * that then, and would wait. While it isn't known for how long, the policy's own holds: no copy has it yet.
 */
export function ownEnd({ expiry, copy }: Policy, { ref, world, ledger, now }: Ending): string | null {
  if (expiry === null) return null
  const own = expiresAt(expiry, now).getTime()
  const target = copy === null ? null : targetOf(ref, copy)
  const known = target === null ? undefined : copyIn(ledger, replicaKey(subjectKey(ref), target))
  const least = target === null ? 0 : (leastOn({ target }, world, known) ?? 0)
  const kept = least === 0 ? 0 : now.getTime() + (least + DAY) * 1000
  return new Date(Math.max(own, kept)).toISOString()
}

/** Of one on request: by the longest that the policies of its instance say. */
export function requestedEnd(policies: readonly Policy[], ending: Ending): string | null {
  const ends = policies.map((policy) => ownEnd({ ...policy, expiry: policy.manual.expiry }, ending))
  return ends.includes(null) ? null : (ends.toSorted().at(-1) ?? null)
}
