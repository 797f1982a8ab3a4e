/** Other words on a snapshot: its name, or the description that one of a custom volume has. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest, OneSnapshot } from '../../plan/request.ts'

export type RenameAction = {
  kind: 'rename'
  ref: InstanceRef
  snapshot: string
  to: string
  /** In seconds since the epoch: another one of that name isn't meant. */
  createdAt: number
  reason: string
}

export type DescribeAction = {
  kind: 'describe'
  ref: InstanceRef
  snapshot: string
  text: string
  reason: string
}

export type RenameRequest = AnyRequest & { do: 'rename'; to: string } & OneSnapshot
export type DescribeRequest = AnyRequest & { do: 'describe'; text: string } & OneSnapshot
