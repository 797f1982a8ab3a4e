/** The copies of an instance that a request names, also where the instance itself is gone. */
import type { InstanceRecord, SnapshotPair } from '../incus/inventory.ts'
import { type InstanceRef, pathOf } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { compilePaths } from '../policy/glob.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import { copyIn } from '../work/copy/entry.ts'
import { verifiedOn } from '../work/copy/marks.ts'
import { replicaKey } from '../work/copy/replica.ts'
import { instancesIn, isCopy } from './find.ts'
import type { World } from './world.ts'

type Known = { world: World; ledger: Pick<Ledger, 'work'> }

/** A copy of what is called so, which may be gone. */
export type CopyOf = {
  ref: InstanceRef
  key: string
  record: InstanceRecord
  of: string
  verified: SnapshotPair[]
}

export function copiesOf(path: string, { world, ledger }: Known): CopyOf[] {
  const named = compilePaths([path])
  return instancesIn(world).flatMap(({ ref, key, record }) => {
    const of = record.config[REPLICA_OF] ?? ''
    if (!isCopy(record) || !named(pathOf(of))) return []
    return [{ ref, key, record, of, verified: verifiedOn(record, copyIn(ledger, replicaKey(of, ref))) }]
  })
}
