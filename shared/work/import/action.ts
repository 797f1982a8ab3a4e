/** A new instance that is made from an export, as data, and what somebody may request of it. */
import type { CopyGiven } from '../../incus/given.ts'
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest } from '../../plan/request.ts'
import type { Secret } from '../../secret.ts'

/** Makes a new instance from an export, as a detached job; later ticks observe its end. */
export type ImportAction = {
  kind: 'import'
  /** Whose export it is; it may be gone, and its remote as well. */
  of: InstanceRef
  store: string
  /** Of the export. */
  name: string
  to: InstanceRef
  /** It is started once it is whole. */
  start: boolean
  /** Of its root disk; null: as its config and profiles say. */
  pool: string | null
  /** What it has instead of what its export says; absent: nothing. */
  given?: CopyGiven
  /** Opens the export, for this one try; null: it isn't encrypted. */
  key: Secret | null
  job: string
  reason: string
}

/** `export` absent: the newest one in that store. */
export type ImportRequest = AnyRequest & {
  do: 'import'
  instance: string
  /** The store. */
  from: string
  export?: string | undefined
  as: string
  remote?: string | undefined
  project?: string | undefined
  pool?: string | undefined
  start?: boolean | undefined
  given?: CopyGiven | undefined
  key?: Secret | undefined
}
