/**
 * Refuses snapshots that aren't known to be complete: a killed daemon leaves partial ones, and restoring one
 * loses all data.
 */

import type { SnapshotPair } from '../../incus/inventory.ts'
import { samePair } from '../../incus/pairs.ts'
import { MANUAL, parseSnapshotName, SAFETY } from '../../incus/snapshot-name.ts'
import { nounOf } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import type { PlanInput } from '../../plan/context.ts'
import type { Found } from '../../plan/find.ts'
import { partialsIn } from '../../plan/partials.ts'
import type { Refusal } from '../../plan/plan.ts'
import { serverOf } from '../../plan/world.ts'
import { copyCommand } from '../../shell.ts'
import { originOf, refuseReplica, verifiedOn } from '../copy/marks.ts'
import { replicasOf, restingOf, seeTarget } from '../copy/replica.ts'
import { restoreIn } from './entry.ts'
import { restoringOn, wholeSafeties } from './safety.ts'

type Known = Pick<PlanInput, 'coverages' | 'world' | 'ledger'>

export function refuseEvidence(found: Found, snapshot: string, known: Known): Refusal | null {
  const { key, snapshots } = found
  const pair = snapshots.find(([name]) => name === snapshot)
  if (pair === undefined || known.world.incomplete.has(`${key}/${snapshot}`))
    return { code: 'busy', reason: `${snapshot} of ${key} is still being made: wait until it is done` }
  const named = parseSnapshotName(snapshot)
  const partial =
    known.world.unseen.has(`${key}/${snapshot}`) ||
    Object.entries(known.ledger.policies).some(([policy, ledger]) =>
      partialsIn(policy, ledger).includes(`${key}/${snapshot}`),
    )
  if (partial)
    return {
      code: 'unverified',
      reason: `it is not known whether ${snapshot} was completed, so it may be partial: choose another snapshot`,
    }
  if (isOnReplica(found, pair, known)) return null
  if (named?.policy === SAFETY)
    return isWholeSafety(found, snapshot, known) ? null : unseen(found, snapshot, known)
  const since = named === null ? undefined : sinceOf(found, named.policy, known)
  const seen = since !== undefined && named !== null && isSince(found, pair, named.slot, since, known)
  return seen ? null : unseen(found, snapshot, known)
}

/** Since when tries of that policy are noted. One on request may have been taken under any that covers the instance. */
function sinceOf({ key }: Found, policy: string, { coverages, ledger }: Known): string | undefined {
  const isNamed = coverages.some((coverage) => coverage.policy.name === policy)
  if (isNamed) return own(ledger.policies, policy)?.since
  if (policy !== MANUAL) return undefined
  const covering = coverages.filter(({ covered }) => covered.some((one) => one.key === key))
  const sinces = covering.flatMap((coverage) => own(ledger.policies, coverage.policy.name)?.since ?? [])
  return sinces.sort().at(-1)
}

/**
 * Taken when its policy's runs were watched: by its slot, or by its creation. A first or late snapshot has the name of a
 * minute shortly before it was taken, and that may lie before the watch began.
 */
function isSince(
  { ref }: Found,
  [, createdAt]: SnapshotPair,
  slot: Date,
  since: string,
  { world }: Known,
): boolean {
  const reply = own(world.remotes, ref.remote)
  const skew = reply?.ok === true ? (reply.inventory.server.skew ?? 0) : 0
  return slot.toISOString() >= since || (createdAt - skew) * 1000 >= Date.parse(since)
}

function isOnReplica({ key, ref, record }: Found, pair: SnapshotPair, { coverages, world }: Known): boolean {
  const mine = coverages.flatMap(({ covered }) => covered.filter((one) => one.key === key))
  const origin = originOf({ ref, record }, { server: serverOf(world, ref.remote) })
  return [...replicasOf(mine), ...restingOf(mine)].some(({ target }) => {
    const seen = seeTarget(world, target)
    if (seen.state !== 'there' || refuseReplica(seen.record, origin) !== null) return false
    return verifiedOn(seen.record).some((mark) => samePair(mark, pair))
  })
}

function isWholeSafety({ key, record }: Found, snapshot: string, { ledger }: Known): boolean {
  const mark = restoringOn(record)
  const noted = restoreIn(ledger, key)
  return (
    wholeSafeties(record).includes(snapshot) ||
    (mark?.taken === true && mark.safety === snapshot) ||
    (noted?.safety === snapshot && (noted.state === 'done' || noted.whole === true))
  )
}

function unseen({ key, ref }: Found, snapshot: string, { coverages }: Known): Refusal {
  const copied = coverages.some(({ covered }) =>
    covered.some((one) => one.key === key && one.policy.copy !== null),
  )
  const wayOut = copied
    ? `/backup copy ${ref.instance} verifies it on the backup server`
    : `try it in a separate ${nounOf(ref)}: ${copyCommand(ref, snapshot)}`
  const reason = `it is not known whether ${snapshot} of ${key} was completed, and it isn't verified on a copy, so it may hold no data: ${wayOut}`
  return { code: 'unverified', reason }
}
