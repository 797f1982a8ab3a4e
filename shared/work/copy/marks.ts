/**
 * The marks of a replica on the target: of which source it is a copy, and which of its snapshots were verified.
 * They are in Incus itself, so that they survive the loss of the ledger.
 */

import type { Identity, InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs, isIn, newestPair } from '../../incus/pairs.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { type InstanceRef, nounOf, subjectKey } from '../../incus/subject.ts'
import { REPLICA_OF, REPLICA_SERVER, REPLICA_UUID, VERIFIED } from '../../policy/marks.ts'
import { keepAside } from '../../shell.ts'
import type { CopyWork } from './entry.ts'
import { isBrought, unfinishedOn } from './transfer.ts'

/** `name@seconds`, separated by spaces; names hold neither. */
export const renderVerified = (pairs: readonly SnapshotPair[]): string =>
  pairs.map(([name, createdAt]) => `${name}@${createdAt}`).join(' ')

/** Malformed entries are ignored. */
export function parseVerified(text: string | undefined): SnapshotPair[] {
  return (text ?? '').split(' ').flatMap((entry): SnapshotPair[] => {
    const at = entry.lastIndexOf('@')
    const createdAt = Number(entry.slice(at + 1))
    return at > 0 && Number.isSafeInteger(createdAt) && createdAt > 0 ? [[entry.slice(0, at), createdAt]] : []
  })
}

export const replicaMarks = (source: InstanceRef, server: string): Record<string, string> => ({
  [REPLICA_OF]: subjectKey(source),
  [REPLICA_SERVER]: server,
})

/** The source of a copy: `snapshots` as they are listed there, null where they can't be; `server`: its certificate. */
type Origin = {
  ref: InstanceRef
  snapshots: readonly SnapshotPair[] | null
  server: string
  identity: Identity | undefined
}

export const originOf = (
  { ref, record }: { ref: InstanceRef; record: InstanceRecord },
  { server }: Pick<Origin, 'server'>,
): Origin => ({ ref, snapshots: record.snapshots, server, identity: record.identity })

/** Whether a record on the target is our copy of this source; else why not, with what to do. */
export function refuseReplica(target: InstanceRecord, origin: Origin): string | null {
  const what = target.type === 'volume' ? 'a volume' : 'an instance'
  const of = target.config[REPLICA_OF]
  if (of === undefined || !target.own.includes(REPLICA_OF))
    return `the target already has ${what} of this name, and stapes did not make it: rename that, or copy into another project`
  if (of !== subjectKey(origin.ref))
    return `the target already has ${what} of this name, the copy of ${of}: copy into another project`
  const other = refuseNamesake(target, origin)
  if (other !== null) return other
  return target.config[REPLICA_SERVER] === origin.server || isContinued(target, origin)
    ? null
    : `the copy came from a server with another certificate, and its newest verified snapshot is not on the source. If the source is the same ${nounOf(origin.ref)} nevertheless, set ${REPLICA_SERVER}=${origin.server} on the target`
}

/**
 * A server with a renewed certificate, or one that replaced another with its instances, still has the
 * snapshots of the copy. It is recognized by name and date of the newest verified snapshot of a policy.
 */
function isContinued(target: InstanceRecord, { snapshots }: Origin): boolean {
  const newest = newestPair(markedOn(target).filter((pair) => ownSnapshot(pair) !== null))
  return newest !== null && snapshots !== null && isIn(snapshots, newest)
}

/**
 * Whether another instance took the source's name. Instances of one policy have snapshots of the same names
 * and seconds, so these don't identify one. If an instance has another uuid and is older than the newest
 * common snapshot, it took that one itself, and the copy is of another instance. A younger one was restored
 * with its snapshots.
 */
function refuseNamesake(target: InstanceRecord, { ref, snapshots, identity }: Origin): string | null {
  const uuid = target.own.includes(REPLICA_UUID) ? (target.config[REPLICA_UUID] ?? '') : ''
  if (uuid === '' || identity === undefined || uuid === identity.uuid) return null
  const common = newestPair(commonPairs(snapshots ?? [], markedOn(target)))
  if (common === null || identity.since >= common[1]) return null
  const { name, project } = target
  return `the copy was made from another ${nounOf(ref)} than the one that is called ${ref.instance} now, so its verified snapshots are not of this one. Was one of them renamed or replaced? To keep what the copy has, run "${keepAside({ project, instance: name })}" on the backup server; a new first copy follows. If the source is the same ${nounOf(ref)} nevertheless, set ${REPLICA_UUID}=${identity.uuid} on the copy`
}

/** Verified by the copy's own mark, whether or not it is still listed. */
export const markedOn = ({ own, config }: Pick<InstanceRecord, 'own' | 'config'>): SnapshotPair[] =>
  parseVerified(own.includes(VERIFIED) ? config[VERIFIED] : '')

/**
 * All snapshots known to be verified, by the copy's own mark or by the ledger. Either may have lost entries,
 * so an entry of one is enough. But snapshots that came with an unverified transfer only count if they were
 * there before.
 */
export function knownVerified(target: InstanceRecord, ledger: CopyWork | undefined): SnapshotPair[] {
  const marked = markedOn(target)
  // Mostly both say the same.
  if (target.own.includes(VERIFIED) && target.config[VERIFIED] === ledger?.verified) return marked
  const unfinished = unfinishedOn(target)
  const noted = parseVerified(ledger?.verified).filter(
    (pair) => !isIn(marked, pair) && !(unfinished !== null && isBrought(unfinished, pair)),
  )
  return [...marked, ...noted]
}

/** Verified and still listed on the target: what counts as a copy. */
export const verifiedOn = (target: InstanceRecord, ledger?: CopyWork): SnapshotPair[] =>
  commonPairs(target.snapshots ?? [], knownVerified(target, ledger))
