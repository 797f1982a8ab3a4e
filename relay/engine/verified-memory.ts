/**
 * Copies that were seen with a verified snapshot since this process started. If the mark is lost meanwhile, the
 * copy is not deleted as long as that snapshot is still listed.
 */

import type { InstanceRecord, RemoteInventory, SnapshotPair } from '../../shared/incus/inventory.ts'
import { newestPair, samePair } from '../../shared/incus/pairs.ts'
import { subjectKey } from '../../shared/incus/subject.ts'
import { markedOn } from '../../shared/work/copy/marks.ts'

export type VerifiedMemory = {
  note(remote: string, inventory: RemoteInventory): void
  /** The newest verified snapshot that was ever seen marked on that instance. */
  newest(remote: string, project: string, instance: string): SnapshotPair | null
}

export function createVerifiedMemory(): VerifiedMemory {
  const seen = new Map<string, SnapshotPair>()
  const noteOne = (key: string, record: InstanceRecord): void => {
    const pair = newestPair(markedOn(record))
    if (pair !== null && pair[1] >= (seen.get(key)?.[1] ?? 0)) seen.set(key, pair)
  }
  return {
    note(remote, { instances, unusable }) {
      const records = new Map(
        instances.map((record) => [
          subjectKey({ remote, project: record.project, instance: record.name }),
          record,
        ]),
      )
      for (const [key, record] of records) noteOne(key, record)
      // What is missing may be among what its server calls by names that can't be used.
      const mayBeThere = (key: string): boolean => unusable !== undefined && !records.has(key)
      for (const [key, pair] of seen)
        if (key.startsWith(`${remote}/`) && !mayBeThere(key) && isGone(records.get(key), pair))
          seen.delete(key)
    },
    newest: (remote, project, instance) => seen.get(subjectKey({ remote, project, instance })) ?? null,
  }
}

/** It was removed or renamed: the next one of that name is another. */
const isGone = (record: InstanceRecord | undefined, pair: SnapshotPair): boolean =>
  record === undefined || (record.snapshots !== null && !record.snapshots.some((one) => samePair(one, pair)))
