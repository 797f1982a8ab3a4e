/**
 * Torn snapshots of a copy: Incus has them on record and not in the pool, because its server was killed. No
 * transfer succeeds until they are gone. Those of an unverified transfer are removed, and those whose removal
 * was cut off, because their data was removed first. The data of any other may still exist, so a person
 * decides.
 */
import { isIn } from '../../incus/pairs.ts'
import { isAddressable } from '../../incus/snapshot-name.ts'
import type { Installation } from '../../plan/installation.ts'
import type { World } from '../../plan/world.ts'
import type { ExpireAction } from '../retention/action.ts'
import { isCutOff } from './cut-off.ts'
import type { CopyWork } from './entry.ts'
import { knownVerified } from './marks.ts'
import { refuseForeign } from './refuse-target.ts'
import { type Replica, transferOn } from './replica.ts'
import { isLeftover, unfinishedOn } from './transfer.ts'

export function removeTorn(
  replica: Replica,
  known: CopyWork | undefined,
  { world, server, installation }: { world: World; server: string; installation: Installation },
): ExpireAction[] {
  const record = world.find(replica.target)
  if (record?.torn === undefined || transferOn(world, replica.target) !== null) return []
  if (refuseForeign(replica, record, { server, installation }) !== null) return []
  const verified = knownVerified(record, known)
  const unfinished = unfinishedOn(record)
  const snapshots = replica.source.record.snapshots ?? []
  return record.torn.flatMap((pair): ExpireAction[] => {
    const came = unfinished !== null && isLeftover(unfinished, pair, snapshots) && !isIn(verified, pair)
    const reason = came ? CAME : isCutOff(pair, { verified, unfinished, snapshots }) ? WENT : null
    if (reason === null || !isAddressable(pair[0])) return []
    const policy = replica.wanting[0]?.covered.policy.name ?? ''
    return [{ kind: 'expire', ref: replica.target, policy, snapshot: pair[0], reason }]
  })
}

const CAME = 'it came with a transfer that was never verified; Incus has a record of it, but no data'
const WENT = 'its removal was interrupted; Incus has a record of it, but no data'
