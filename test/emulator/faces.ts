/**
 * What Incus 7.0.2 answers otherwise than 6.0.4, as far as the contract suite found it. All else the embedded
 * Incus does alike for both.
 */
import { Refusal } from './envelope.ts'

export type Version = '6.0.4' | '7.0.2'

export type Face = {
  version: Version
  /** Beyond those of 6.0.4. */
  extensions: readonly string[]
  /** Strangers are not told the extensions; lists of a foreign project are empty; an operation is its project's. */
  keepsToItself: boolean
  /** Snapshots stand inside their volume's row, with recursion=2, and in no rows of their own. */
  nested: boolean
  /** A wait gives the operation back, whatever became of it. */
  waitTells: boolean
  /** Of a second copy of one source; false: it waits for the first, and fails when that is over. */
  refusesSecondCopy: boolean
  /** On dir a target stays mounted while it is received, and for good when the daemon is killed meanwhile. */
  keepsMounted: boolean
  /** A source that fails before its offer counts as one without snapshots: a refresh removes all of the copy's. */
  takesFailureForNone: boolean
  /** Refuses what a request can be refused for at once. */
  checkSnapshotName(name: string): void
  takenSnapshot: string
  takenInstance: string
  /** By itself; before, they needed another program. */
  servesBuckets: boolean
  /** What is missed by whoever comes before a first copy is over. */
  unfinished(instance: string): string
}

const refuseSigns = (name: string, why: string): void => {
  const wrong = ['/', '?', '&', '+'].find((sign) => name.includes(sign))
  if (wrong !== undefined) throw new Refusal(400, `Invalid snapshot name: ${why} "${wrong}"`)
}

export const faces: Record<Version, Face> = {
  '6.0.4': {
    version: '6.0.4',
    extensions: [],
    keepsToItself: false,
    nested: false,
    waitTells: false,
    refusesSecondCopy: false,
    keepsMounted: false,
    takesFailureForNone: true,
    servesBuckets: false,
    // A space is only found out by the operation.
    checkSnapshotName: (name) => refuseSigns(name, 'Cannot contain'),
    takenSnapshot:
      'Failed to create "instances_snapshots" entry: UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name',
    takenInstance:
      'Failed to create "instances" entry: UNIQUE constraint failed: instances.project_id, instances.name',
    unfinished: () => 'open backup.yaml: no such file or directory',
  },
  '7.0.2': {
    version: '7.0.2',
    extensions: [
      'snapshot_manual_expiry',
      'backup_s3_upload',
      'custom_volume_sftp',
      'storage_volume_full',
      'direct_backup',
      'instance_snapshot_disk_only_restore',
    ],
    keepsToItself: true,
    nested: true,
    waitTells: true,
    refusesSecondCopy: true,
    keepsMounted: true,
    takesFailureForNone: false,
    servesBuckets: true,
    checkSnapshotName(name) {
      if (/\s/.test(name)) throw new Refusal(400, 'Invalid snapshot name: Name cannot contain white space')
      refuseSigns(name, 'Name contains invalid character')
    },
    takenSnapshot: 'This "Instance_snapshot" entry already exists',
    takenInstance: 'This "Instance" entry already exists',
    unfinished: (instance) => `open /var/lib/incus/containers/${instance}: no such file or directory`,
  },
}
