/** The actions of an export, and what somebody may request of it. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { AnyRequest } from '../../plan/request.ts'

/** Writes a snapshot of an instance as a file into a store of the relay, as a detached job; later ticks look for its manifest. */
export type ExportAction = {
  kind: 'export'
  ref: InstanceRef
  snapshot: string
  /** A store of the relay's configuration, by name. */
  store: string
  /** Names the export among those of the instance: the second in which it was requested. */
  name: string
  /** In the form of the pool's driver, which only such a pool can take back. */
  optimized: boolean
  /** The policy whose slot it is for; absent: somebody asked for it, and no policy removes it. */
  policy?: string
  /** The installation that has it made. */
  owner: string
  job: string
  reason: string
}

/** `snapshot` absent: the newest one that is known to be complete. */
export type ExportRequest = AnyRequest & {
  do: 'export'
  instance: string
  snapshot?: string
  to: string
  optimized?: boolean
}
