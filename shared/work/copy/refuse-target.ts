/** Reasons to refuse a transfer onto a copy: it would lose data. */

import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs, isIn, newestPair } from '../../incus/pairs.ts'
import { type InstanceRef, subjectKey } from '../../incus/subject.ts'
import { type Installation, refuseOwner } from '../../plan/installation.ts'
import { OWNER } from '../../policy/marks.ts'
import { usersText } from '../../policy/volumes.ts'
import { keepAside } from '../../shell.ts'
import { isUnfinishedFirst, type TransferContext } from './context.ts'
import { knownVerified, originOf, refuseReplica } from './marks.ts'
import { isOfPolicy, type Replica } from './replica.ts'
import { isLeftover } from './transfer.ts'

/** `wanted`: the snapshots that the transfer is for. */
type Refusing = TransferContext & { target: InstanceRecord; wanted: readonly SnapshotPair[] }

export function refuseTarget(context: Refusing): string | null {
  const { replica, target, starting } = context
  return (
    refuseForeign(replica, target, starting) ??
    (isUnfinishedFirst(context) ? null : (refuseLoss(context) ?? refuseUnproven(context)))
  )
}

/** Refuses one that is no copy of this source, has another owner, or on which an operation runs. */
export function refuseForeign(
  { source, target: at }: Replica,
  target: InstanceRecord,
  { server, installation }: { server: string; installation: Installation },
): string | null {
  const foreign = refuseReplica(target, originOf(source, { server }))
  if (foreign !== null) return foreign
  const other = refuseOther({ target: at }, target, { installation })
  if (other !== null) return other
  return refuseUsed(at, target)
}

/** Incus refreshes a volume also while it is attached, under the one who uses it. */
function refuseUsed(at: InstanceRef, { type, status, users = [] }: InstanceRecord): string | null {
  const isFree = type === 'volume' ? users.length === 0 : status === 'Stopped'
  if (isFree) return null
  const how = type === 'volume' ? `attached to ${usersText(at.remote, users)}` : status
  const end = type === 'volume' ? 'detach' : 'stop'
  return `the copy is ${how} on the target: ${end} it. If it has taken over from the source, run the commands listed under ${subjectKey(at)}`
}

/** Refuses one that another installation of stapes makes. */
export function refuseOther(
  { target: at }: Pick<Replica, 'target'>,
  { own, config }: InstanceRecord,
  { installation }: { installation: Installation },
): string | null {
  const other = refuseOwner(own.includes(OWNER) ? config[OWNER] : '', installation)
  return other === null ? null : other.replace('<copy>', at.instance)
}

/** Refuses a refresh that would delete a snapshot which the source doesn't have, or mistake it for one that it sent. */
function refuseLoss({ target, snapshots, verified, unfinished, replica, wanted }: Refusing): string | null {
  const common = newestPair(commonPairs(verified, snapshots))
  const dates = new Map(verified)
  const unknown = (target.snapshots ?? []).filter(
    (pair) =>
      dates.get(pair[0]) !== pair[1] &&
      !(unfinished !== null && isLeftover(unfinished, pair, replica.source.record.snapshots)),
  )
  const foreign = unknown.find(([name]) => !snapshots.some(([own]) => own === name))
  if (foreign !== undefined)
    return `a refresh would delete the snapshot ${foreign[0]} on the target, which the source doesn't have and stapes never verified: copy it to a separate instance, or delete it`
  const unproven =
    verified.length === 0
      ? undefined
      : unknown.find((pair) => pair[1] > (common?.[1] ?? 0) || isIn(wanted, pair))
  if (unproven !== undefined)
    return `it is not known whether the snapshot ${unproven[0]} on the target is complete: delete it there, and it is sent again`
  if (verified.length > 0 && common === null)
    return `source and target have no snapshot in common, so a refresh would delete all ${verified.length} verified snapshots: rename the target to keep them; a new first copy follows`
  // Snapshots that people made themselves, or that were taken on request, may be removed by them.
  const newest = newestPair(verified.filter((pair) => isOfPolicy(replica, pair)))
  if (newest === null || common === null || common[1] >= newest[1]) return null
  return rolledBack(newest, replica, verified, snapshots)
}

/** Retention never removes the newest common snapshot, so the source was rolled back. */
function rolledBack(
  [newest]: SnapshotPair,
  { source, target }: Replica,
  verified: readonly SnapshotPair[],
  snapshots: readonly SnapshotPair[],
): string {
  const lost = verified.filter((pair) => !isIn(snapshots, pair)).map(([name]) => name)
  const some = lost.length > 5 ? `${lost.slice(0, 5).join(', ')} …` : lost.join(', ')
  const ref = source.ref
  return `${newest}, the newest verified snapshot of the copy, is gone from ${source.key}, and retention didn't remove it: was the source rolled back or replaced? A refresh would delete ${lost.length} verified snapshots (${some}). To keep them, run "${keepAside(target)}" on ${target.remote}: a new first copy follows. To give them up, delete ${newest} from ${ref.instance} on ${target.remote}`
}

/** Refuses one without a verified snapshot, if it isn't proven that there never was one. */
function refuseUnproven({ target, replica, starting }: Refusing): string | null {
  if ((target.snapshots ?? []).length === 0 || knownVerified(target, starting.entry).length > 0) return null
  const { remote } = replica.target
  return `it is not known whether any snapshot of the copy was ever verified, because its marks were changed or lost. To keep what it has, run "${keepAside(replica.target)}" on ${remote}; to give it up, delete it there. Either way, a new first copy follows`
}
