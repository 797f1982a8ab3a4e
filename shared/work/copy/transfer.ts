/**
 * The transfer mark: a copy has it from before a transfer until that transfer is verified. It is the only proof
 * that something on the copy is unverified: without it nothing is ever removed as unverified.
 */
import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { ownSnapshot } from '../../incus/snapshot-name.ts'
import { COPYING } from '../../policy/marks.ts'

export type Transfer = {
  /** Which transfer: the part of its job's id behind the replica's key. */
  id: string
  /** Snapshots created later than this come with it (seconds since the epoch); 0: all, it is a first copy. */
  from: number
  /** Older snapshots that come with it as well. */
  names: string[]
}

export const renderTransfer = ({ id, from, names }: Transfer): string => [id, from, ...names].join(' ')

/** Null for a malformed mark. */
export function parseTransfer(text: string | undefined): Transfer | null {
  const [id = '', seconds = '', ...names] = (text ?? '').split(' ')
  return id === '' || !/^\d+$/.test(seconds) ? null : { id, from: Number(seconds), names }
}

/** The last transfer by the copy's own mark; null: it is verified. */
export const unfinishedOn = ({ own, config }: Pick<InstanceRecord, 'own' | 'config'>): Transfer | null =>
  own.includes(COPYING) ? parseTransfer(config[COPYING]) : null

/** Replaces the id: the transfer was verified, except for these snapshots. */
const REST = 'rest'
/** Later than all snapshots. */
const FAR = 9_999_999_999

/** The mark after a verification, for snapshots that came with the transfer and aren't verified. */
export const restOf = (names: string[]): Transfer | null =>
  names.length === 0 ? null : { id: REST, from: FAR, names }

export const isVerified = (transfer: Transfer | null): boolean => transfer === null || transfer.id === REST

/** Id of the transfer that a job of the relay makes. */
export const transferId = (replica: string, job: string): string => job.slice(replica.length + 1)

/** Whether a snapshot on the copy came with it, by the mark alone. */
export const isBrought = ({ from, names }: Transfer, [name, createdAt]: SnapshotPair): boolean =>
  createdAt > from || names.includes(name)

/**
 * Whether it may be removed as a leftover of an unverified transfer. For names that aren't of stapes the mark
 * alone is no proof, because a person may have made it on the copy: it has to be on the source too
 * (`snapshots`).
 */
export const isLeftover = (
  transfer: Transfer,
  pair: SnapshotPair,
  snapshots: readonly SnapshotPair[] | null,
): boolean =>
  isBrought(transfer, pair) &&
  (ownSnapshot(pair) !== null ||
    (snapshots ?? []).some(([name, createdAt]) => name === pair[0] && createdAt === pair[1]))
