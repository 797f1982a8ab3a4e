/**
 * Verified snapshots of a copy that have expired on the source: a refresh may remove them. Only evidence counts,
 * because a source that was taken over, a person and another scheduler remove snapshots as well.
 */
import { expiresAt } from '../../incus/expiry.ts'
import type { SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs, isIn } from '../../incus/pairs.ts'
import { MANUAL, ownSnapshot } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import { manualExpiry } from '../../plan/manual.ts'
import { isSafety, safetyExpiry } from '../../plan/safety.ts'
import type { World } from '../../plan/world.ts'
import type { Covered } from '../../policy/cover.ts'
import type { CopyWork } from './entry.ts'
import { parseVerified, renderVerified } from './marks.ts'

/** The evidence about one source. `covering`: it, by each policy that covers it. */
type Evidence = {
  key: string
  known: CopyWork | undefined
  covering: readonly Covered[]
  world: Pick<World, 'expired' | 'remotes'>
  now: Date
}

/**
 * Those of `pairs` that are not known to have expired: the relay doesn't know it, the ledger doesn't
 * have it, and no expiry of their policy has passed.
 */
export function unexplained(pairs: readonly SnapshotPair[], evidence: Evidence): SnapshotPair[] {
  if (pairs.length === 0) return []
  const { key, known, world } = evidence
  const noted = parseVerified(known?.expired)
  return pairs.filter(
    (pair) =>
      !world.expired.has(`${key}/${pair[0]}@${pair[1]}`) && !isIn(noted, pair) && !hasEnded(pair, evidence),
  )
}

/** With a server's clock that is off by more, the dates of its snapshots prove nothing. In seconds. */
const TRUSTED_SKEW = 600

/** By its policy's own expiry; a safety snapshot and one on request always have one. */
function hasEnded(pair: SnapshotPair, { covering, world, now }: Evidence): boolean {
  const [name, createdAt] = pair
  const created = new Date(createdAt * 1000)
  const [first] = covering
  const reply = first === undefined ? undefined : own(world.remotes, first.ref.remote)
  if (reply?.ok !== true || Math.abs(reply.inventory.server.skew ?? 0) > TRUSTED_SKEW) return false
  const policy = ownSnapshot(pair)?.policy
  if (policy === undefined) return false
  if (isSafety(name)) return Date.parse(safetyExpiry(created, created)) <= now.getTime()
  const named = covering.find((one) => one.policy.name === policy)
  if (named === undefined && policy === MANUAL) {
    const policies = covering.map((one) => one.policy)
    const end = manualExpiry(policies, created)
    return end !== null && Date.parse(end) <= now.getTime()
  }
  const expiry = named?.policy.expiry ?? null
  return expiry !== null && expiresAt(expiry, created) <= now
}

/** For the ledger entry: only what is still verified on the copy. */
export function expiredIn(
  expired: string | undefined,
  verified: readonly SnapshotPair[],
): Pick<CopyWork, 'expired'> {
  const still = commonPairs(verified, parseVerified(expired))
  return still.length === 0 ? {} : { expired: renderVerified(still) }
}

/** The entry with more of them. */
export function withExpired(entry: CopyWork, pairs: readonly SnapshotPair[]): CopyWork {
  const before = parseVerified(entry.expired)
  const fresh = pairs.filter((pair) => !isIn(before, pair))
  return fresh.length === 0 ? entry : { ...entry, expired: renderVerified([...before, ...fresh]) }
}
