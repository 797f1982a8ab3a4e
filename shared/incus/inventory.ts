/** What exists on a remote, as the relay condenses it: the compact inventory. */

import type { ProjectRules } from './project-rules.ts'

/** A snapshot's name and creation date, in whole seconds since the epoch (copies are cut to the second). */
export type SnapshotPair = [name: string, createdAt: number]

/**
 * Incus's `volatile.uuid`: a rename and a restore keep it, a copy has another. `since`: made then, in seconds
 * since the epoch.
 */
export type Identity = { uuid: string; since: number }

/**
 * As they hold for the instance, profiles included. `expiry`: its `snapshots.expiry`; empty: none. `pattern`: of their
 * names; absent: Incus's own. `stopped`: also while it doesn't run. `started`: its last start, in seconds since the epoch.
 */
export type OwnSchedule = {
  schedule: string
  expiry: string
  pattern?: string
  stopped?: true
  started?: number
}

/**
 * An instance, or a custom volume: that has `pool:volume` for its name, no status, no profiles (so all its keys are its
 * own), and no identity. A bucket is listed apart from these, as `pool::bucket`: it never has snapshots.
 */
export type InstanceRecord = {
  project: string
  name: string
  type: 'container' | 'virtual-machine' | 'volume' | 'bucket'
  /** Of a volume: why Incus takes no snapshots of it by themselves, in words; absent: it does. */
  unsnapped?: string
  /** Of a volume: the instances that it is attached to, as `project/instance`. */
  users?: string[]
  /** Of a bucket: why Incus can't read it now, in words; absent: it can. */
  unready?: string
  /** Incus's own word: Running, Stopped, Frozen, Error, … Error also stands for an offline member. */
  status: string
  /** Its memory can be kept in a snapshot, and restored: migration.stateful is set. */
  memory?: true
  /** Custom volumes that are attached to it, as `pool/volume`: no snapshot or copy of it has their data. */
  volumes?: string[]
  /** Incus takes snapshots of it by itself, by its `snapshots.schedule`. */
  scheduled?: OwnSchedule
  /** Cluster member, "none" on a standalone server. */
  location: string
  /** Pool of the root disk. */
  pool: string
  /** The `user.stapes.*` keys of expanded_config (profiles included), and those that policies select by. */
  config: Record<string, string>
  /** `security.protection.delete` is set. */
  protected?: true
  /** Those keys of `config` that stand on the instance itself; the others come from its profiles. */
  own: string[]
  /** Absent where its server doesn't give it. */
  identity?: Identity
  /** In no particular order; null when the listing of its pool, or its member, failed. */
  snapshots: SnapshotPair[] | null
  /** Why snapshots is null. */
  problem?: string
  /** If `snapshots` is null: those that Incus has on record and not in the pool, as after a power cut. */
  torn?: SnapshotPair[]
  /**
   * Listed without its config, as Incus does while its cluster member can't be reached: `pool`, `config`
   * and `own` are empty because they are unknown. A missing key means nothing then.
   */
  offline?: true
  /** With `offline`: its server answers for it, but with keys that can't be passed on, or lists it twice: `problem` says what. */
  oversized?: true
  /** Its mark of a restore isn't one that the relay made. */
  unsealed?: true
  /** The relay itself made it from a snapshot, and has finished that. */
  made?: true
}

/** An operation that had not ended when it was listed. */
export type OperationRecord = {
  id: string
  description: string
  project: string
  /** Names of instances and custom volumes, from its resources. */
  instances: string[]
  /** `instance/snapshot` from its resources: such a snapshot is not complete yet. */
  snapshots: string[]
  /** fs_progress as Incus reports it, for people only. */
  progress?: string
}

export type RemoteInventory = {
  server: {
    /** sha256 of the certificate's DER, hex: the server's identity (names aren't unique). */
    fingerprint: string
    version: string
    clustered: boolean
    /** Seconds that its clock is ahead of the relay's, or behind it (negative); absent where it doesn't matter. */
    skew?: number
    /** Minutes that its wall clock is ahead of UTC, where the relay has seen that since its own start. */
    zone?: number
  }
  projects: string[]
  /** By project: the config keys that may forbid something. Absent where there are none, or they can't be seen. */
  projectRules?: Record<string, ProjectRules>
  /** Storage driver by pool, of the pools that instances and listed custom volumes live in; one that can't be read is absent. */
  pools: Record<string, string>
  /**
   * Those of them that are lvm without a thin pool, where their config tells; a restricted certificate isn't
   * shown it.
   */
  thick?: string[]
  /** With custom volumes, where they were asked for. */
  instances: InstanceRecord[]
  /** Why custom volumes aren't known, in words, where they were asked for: such a pool may have any. */
  unlisted?: string[]
  /** Where they were asked for. */
  buckets?: InstanceRecord[]
  /** Why buckets aren't known, in words, where they were asked for. */
  bucketless?: string[]
  operations: OperationRecord[]
  /** Listed instances that are left out because their names can't be used, in words: they are not gone. */
  unusable?: string[]
  /** What exports have left, or seem to have left, in words: it could not be removed, or the relay can't know that it may. */
  leftovers?: string[]
  /** `project/instance/snapshot` of creates with an unknown outcome: such a snapshot may be partial. */
  unseen?: string[]
  /** The same of those that the relay takes as a group just now: such a snapshot isn't complete yet. */
  taking?: string[]
  /**
   * `project/instance/snapshot@createdSeconds` of a source's snapshots that the relay knows to have expired: it
   * expired them itself, or they had an expiry of their own and that has passed.
   */
  expired?: string[]
  /** The same of copies: verified ones that vanished within a day, though neither the relay nor an expiry removed them. */
  lost?: string[]
  /** What the relay's configuration says about the remote; absent: nothing. */
  rules?: RemoteRules
}

export type RemoteRules = {
  role: 'source' | 'target' | 'both'
  /** How long a verified snapshot stays there at least, in seconds since its creation; 0: no rule. */
  minRetention: number
  /** The stores that instances can be exported to, by name; absent: none. */
  exports?: string[]
  /** What its configuration says about each of them. */
  stores?: Record<string, StoreRules>
  /** The hooks that it may run, by name: globs over `remote/project/instance`. Absent: a relay of an earlier version. */
  hooks?: Record<string, readonly string[]>
}

/** `minRetention`: how long an export stays there at least, in seconds. `locked`: it is meant to keep that from the relay, too. `removeLast`: also the newest whole one may be removed. `encrypted`: what goes there is. */
export type StoreRules = {
  minRetention: number
  locked?: true
  encrypted?: true
  removeLast?: true
  deletes?: Deletes
}

/**
 * Whether the relay's own key could delete there what it has just written; null: that isn't known, and why. `seconds`: for how
 * long it can't, where the store says so.
 */
export type Deletes = { can: true } | { can: false; seconds?: number } | { can: null; why: string }
