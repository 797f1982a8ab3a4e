/** Removes an export that a policy had made and no rule of its `keep` wants any more. */
import type { InstanceRef } from '../../incus/subject.ts'

export type ExpireExportAction = {
  kind: 'expire-export'
  ref: InstanceRef
  store: string
  /** Of the export. */
  name: string
  /** The one in it. */
  snapshot: string
  policy: string
  /** The installation that had it made. */
  owner: string
  reason: string
}
