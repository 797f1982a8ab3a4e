/**
 * Snapshots of a copy that Incus has on record and not in the pool, as a power cut in mid-transfer leaves them: no
 * transfer succeeds until they are gone. Those that came by a transfer which was never verified are removed; of
 * any other one its data may be somewhere, so a person decides.
 */
import type { InstanceRecord } from '../incus/inventory.ts'
import { isAddressable } from '../incus/snapshot-name.ts'
import type { CopyLedger } from '../ledger/ledger.ts'
import { isIn, knownVerified } from './marks.ts'
import type { Installation } from './owner.ts'
import type { ExpireAction } from './plan.ts'
import { refuseStranger } from './refuse-target.ts'
import { type Replica, transferOn } from './replica.ts'
import { isLeftover, unfinishedOn } from './transfer.ts'
import type { World } from './world.ts'

export function removeTorn(
  replica: Replica,
  known: CopyLedger | undefined,
  { world, server, installation }: { world: World; server: string; installation: Installation },
): ExpireAction[] {
  const record = world.find(replica.target)
  if (record?.torn === undefined || transferOn(world, replica.target) !== null) return []
  if (refuseStranger(replica, record, { server, installation }) !== null) return []
  return unverifiedOf(record, record.torn, { known, replica }).map((snapshot) => ({
    kind: 'expire',
    ref: replica.target,
    policy: replica.wanting[0]?.covered.policy.name ?? '',
    snapshot,
    reason: 'it came by a transfer that was never verified, and Incus has it on record without its data',
  }))
}

function unverifiedOf(
  record: InstanceRecord,
  torn: NonNullable<InstanceRecord['torn']>,
  { known, replica }: { known: CopyLedger | undefined; replica: Replica },
): string[] {
  const unfinished = unfinishedOn(record)
  if (unfinished === null) return []
  const verified = knownVerified(record, known)
  return torn.flatMap((pair) =>
    isLeftover(unfinished, pair, replica.source.record.snapshots) &&
    !isIn(verified, pair) &&
    isAddressable(pair[0])
      ? [pair[0]]
      : [],
  )
}
