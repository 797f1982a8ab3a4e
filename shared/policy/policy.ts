/** What is wanted, after parsing: every default filled in, every unit in seconds. */

import type { Access } from '../access/access.ts'
import type { CopyGiven } from '../incus/given.ts'
import type { TransferMode } from '../incus/transfer-mode.ts'
import type { Channel } from '../notify/channel.ts'
import type { PingSettings } from '../ping/settings.ts'
import type { Brake } from '../retention/brake.ts'
import type { Keep } from '../retention/keep.ts'

export type Selector = {
  /** Remotes by name; the relay knows them. */
  remotes: string[]
  /** Globs (`*`, `?`) over project names. */
  projects: string[]
  /** Globs over instance names. */
  instances: string[]
  types: ('container' | 'virtual-machine')[]
  /** `attached`, and globs over `pool:name` of custom volumes. Absent in one that an earlier version has applied: none. */
  volumes?: string[]
  /** Globs over `pool::name` of buckets. Absent: none. */
  buckets?: string[]
  /** Only running instances (Running or Frozen). */
  running: boolean
  /** `user.*` keys of the expanded config that must match; values are globs. */
  config: Record<string, string>
  /** Globs over `instance`, `project/instance` or `remote/project/instance`. */
  exclude: string[]
}

export type Copy = {
  remote: string
  /** Null: the source's project name. */
  project: string | null
  /** Null: the root pool of the target's profiles. */
  pool: string | null
  /** Cluster member, or group as `@name`, for first copies; null: Incus chooses. */
  target: string | null
  transferMode: TransferMode
  /** Where a running instance would stand still for the whole transfer: let it, or let the copy's own head be inconsistent. */
  allow: 'freeze' | 'inconsistent'
  /** Retention on the target; empty removes nothing (what the source no longer has, a refresh removes). */
  keep: Keep
  /** Incus expiry expression for snapshots on the target, null for never. */
  expiry: string | null
  /** What a new copy has instead of what its source has. Absent: nothing. */
  given?: CopyGiven
  /** A refresh may remove what `keep` still wants, once the source no longer has it. Absent: it waits instead. */
  mirror?: boolean
}

/** Files outside of Incus. */
export type Export = {
  /** A store of the relay. */
  to: string
  /** As the policy's own one. */
  schedule: string[]
  optimized: boolean
  /** Seconds after which the newest one is read again; null: only on request. */
  check: number | null
  /** Retention of what this policy has exported; empty removes nothing. Absent in one that an earlier version has applied. */
  keep?: Keep
}

/** Whether the person who asks for something destructive may also confirm it, or a second one must. */
export type Approval = 'self' | 'second'

type Promised = { snapshot: number | null; copy: number | null; export?: number | null }

/** `pause`: seconds that what runs may stand still, or be kept ready by its `hook`. */
export type Together = { pause: number; hook?: { name: string; otherwise: 'fail' | 'pause' } }

export type Policy = {
  name: string
  select: Selector
  /** 5-field cron expressions, aliases already spelled out. */
  schedule: string[]
  /** IANA zone: of the schedule, and of retention's buckets. */
  timezone: string
  /** Seconds; each instance gets its own stable delay in [0, jitter). */
  jitter: number
  /** Seconds that a slot may be served late. */
  catchup: number
  paused: boolean
  /** The last pause beside the document, over or not: of the configuration as it holds now. */
  pause?: Pause
  /** With the memory of what runs. `possible`: without it where that can't be had. */
  stateful: boolean | 'possible'
  /** Each instance and its attached volumes are taken as one; null or absent: each by itself. */
  together?: Together | null
  keep: Keep
  /** Seconds for which a removal by `keep` can be undone. Absent in one that an earlier version has applied: 0. */
  grace?: number
  /** Incus expiry expression ("7d"), enforced by Incus through expires_at; null for never. */
  expiry: string | null
  /** Of snapshots on request; likewise. */
  manual: { expiry: string | null }
  copy: Copy | null
  /** Null or absent: none. */
  export?: Export | null
  approval: Approval
  /** How old the newest one may be, in seconds; null: by the schedule. Absent in one that an earlier version has applied. */
  promise?: Promised
  /** Who is told regularly that its promises are kept; null or absent: nobody. */
  ping?: PingSettings | null
  /** What an expiry may take at once; null: no brake. Absent in one that an earlier version has applied. */
  brake?: Brake | null
  /**
   * Where a value comes from that the policy doesn't say itself, by its path ("timezone", "copy.pool"):
   * from the document's `defaults`, or from the product. Absent: from the policy.
   */
  filled?: Record<string, 'defaults' | 'default'>
}

/**
 * Somebody paused a policy in chat. It ends by itself at `until` (ISO 8601), or never. One that is over stays
 * until the next one, for its slots may not be accounted for yet.
 */
export type Pause = { by: string; at: string; until: string | null }

/** `access` and `notify` may be absent in a configuration applied by an earlier version. */
export type Config = { policies: Policy[]; access?: Access; notify?: Channel[] }
