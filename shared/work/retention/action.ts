/** The action of removing a snapshot. */
import type { InstanceRef } from '../../incus/subject.ts'

export type ExpireAction = {
  kind: 'expire'
  ref: InstanceRef
  policy: string
  snapshot: string
  reason: string
}
