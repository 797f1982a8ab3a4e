/** Which instances a policy covers in what was observed, and what could not be observed. */

import type { InstanceRecord } from '../incus/inventory.ts'
import type { InstanceRef } from '../incus/subject.ts'
import type { Policy } from './policy.ts'

export type Covered = {
  ref: InstanceRef
  key: string
  record: InstanceRecord
  /** The policy as it holds for this instance, overrides merged in. */
  policy: Policy
  /** Why nothing of this instance may be expired: an override that can't be understood. */
  blocked: string | null
  /** Why no snapshot of it can be made whatever is tried, with what to do: its project forbids it. */
  barred: string | null
  /** Snapshots that are held. */
  held: ReadonlySet<string>
}

/** What it is about: whether a remote is a source or a backup target, or which stores there are. */
export type RoleProblem = { of: 'remote' | 'store'; about: string; reason: string }

export type Coverage = {
  policy: Policy
  covered: Covered[]
  /** Buckets: of all that the policy does they only get its exports. Absent: none. */
  buckets?: Covered[]
  /** Instances in reach that are left out, with the reason. */
  skipped: { key: string; reason: string }[]
  /** What the roles of its remotes keep it from doing. */
  roles: RoleProblem[]
  problems: { about: string; reason: string }[]
  /** Problems that don't keep a slot from being served. */
  warnings: { about: string; reason: string }[]
  /** Remotes of the policy that gave no answer, by `remote:<name>`: never read as "nothing there". */
  unreadable: { key: string; reason: string }[]
}
