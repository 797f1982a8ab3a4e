/**
 * The protocol between Worker and relay: `POST /v1/glance`, `POST /v1/inventory`, `POST /v1/batch` and `POST /v1/files`.
 * All requests are signed (RFC 9421).
 */

import type { RemoteInventory } from '../incus/inventory.ts'
import type { InstanceRef } from '../incus/subject.ts'
import type { Step } from './steps.ts'

/** A relay's or Incus's refusal. Codes are stable; messages are for people. */
export type CallError = {
  code:
    | 'incus' // Incus answered with an error; `status` and `message` are its own
    | 'unreachable' // no connection, TLS failure: nothing was sent
    | 'timeout' // sent, no answer: the effect is unknown
    | 'vanished' // the operation is gone (daemon restarted, or ended unseen): its outcome is unknown
    | 'running' // the operation had not ended when the wait's limit was reached
    | 'certificate' // the server's certificate isn't the pinned one
    | 'untrusted' // Incus doesn't trust the relay's client certificate
    | 'not-incus' // something else answers there, such as LXD: nothing is attempted
    | 'unknown-remote'
    | 'not-allowed' // the relay's own rules refuse it
    | 'locked' // another job holds the lock
    | 'cancelled' // somebody cancelled the job, and it went no further
    | 'bad-reply' // not Incus's envelope
    | 'export' // what came of an export is no good, or a store refuses or fails
    | 'bad-request' // it can't be done as it was asked for
  message: string
  status?: number
  /** Whose error it is, where that isn't the remote: the Worker got no usable answer of the relay. */
  of?: 'relay'
}

// ---- POST /v1/glance ----------------------------------------------------------------------------

export type GlanceRequest = { remotes: string[]; again?: number }

/**
 * `again`: the caller comes by itself, next within so many milliseconds. The relay may raise an alarm if it doesn't.
 * A call that a person requested has none.
 */
export type ComesAgain = Pick<GlanceRequest, 'again'>

/** By remote: a digest of the names of all that it lists, or why it lists nothing. */
export type GlanceReply = {
  remotes: Record<string, { ok: true; listed: string } | { ok: false; error: CallError }>
}

// ---- POST /v1/inventory -------------------------------------------------------------------------

/** Ids, names and locks are no longer than this, and not empty. */
export const LONGEST_NAME = 500

export type InventoryRequest = ComesAgain & {
  remotes: string[]
  /** The keys of instances that policies select by; of others than these and `user.stapes.*` none is passed on. */
  config?: string[]
  /** Custom volumes, too. */
  volumes?: true
  /** Buckets, too. */
  buckets?: true
  /**
   * Detached jobs the caller still counts as running; one that the relay doesn't know is adopted if its
   * operation still runs.
   */
  adopt?: { id: string; remote: string; operation: string; lock?: string; family?: string; memo?: unknown }[]
  /** Milliseconds for each remote, where the caller can't wait as long as the relay would; one that takes longer is unknown. */
  within?: number
}

export type RemoteReply = { ok: true; inventory: RemoteInventory } | { ok: false; error: CallError }

/** The reply after unpacking; on the wire it is packed, see packing.ts. */
export type InventoryReply = {
  /** One entry for each requested remote, by name; a remote fails by itself. */
  remotes: Record<string, RemoteReply>
  /** All detached jobs that the relay remembers: running ones, and ended ones for a day. */
  jobs: JobReport[]
}

// ---- POST /v1/batch -----------------------------------------------------------------------------

/** Steps run in order; the first that fails ends the job, and the rest are not sent. */
export type Job = {
  /** Unique in its batch; a detached job's is unique over time. */
  id: string
  /** One job at a time per lock, in all batches; a later one fails with `locked`. */
  lock?: string
  /** Starts once that job, which stands earlier in the batch, has ended, well or not. */
  after?: string
  /** Answer `accepted` at once and go on; the end shows in the inventory's `jobs`. */
  detach?: boolean
  /** Of a detached job: when it begins, ended ones of its family are forgotten, so that reports stay few. */
  family?: string
  /** Given back in the job's report, so that a success can be verified after the ledger was lost. */
  memo?: unknown
  steps: Step[]
}

/** Characters of a record. */
export const LONGEST_RECORD = 2_000

export type BatchRequest = {
  jobs: Job[]
  /** Who requests it and what, where the edge can't record it: the relay writes it to its log before it begins. */
  record?: string
  /** Id of the caller's run, for the relay's log. */
  run?: string
}

/** `metadata`: of a step that reads. */
export type StepReport = { ok: true; metadata?: unknown } | { ok: false; error: CallError }

/**
 * The answer is NDJSON: a line per job as it ends, in any order, then `{"done": n}`. A job without a line is
 * unknown.
 */
export type BatchLine =
  | { job: string; accepted: true }
  | { job: string; steps: StepReport[] } // ends at the first failure
  | { done: number }

export type JobReport = {
  id: string
  state: 'queued' | 'running' | 'done' | 'failed' | 'unknown'
  memo?: unknown
  /** Remote and id of the operation that is being waited for: what to adopt by. */
  remote?: string
  operation?: string
  /** Of `failed` and `unknown`: the step that failed and why. */
  step?: number
  error?: CallError
  /** fs_progress as Incus last reported it, for people only. */
  progress?: string
  /** ISO 8601. */
  since: string
}

// ---- POST /v1/files -----------------------------------------------------------------------------

/** Rows of one list. */
export const MOST_FILES = 1_000

/**
 * What a snapshot holds at a path: `list` names it, and what is in it where it is a folder; `get` sends its bytes. The relay reads an
 * instance that it makes of the snapshot, and keeps for some minutes.
 */
export type FilesRequest = {
  do: 'list' | 'get'
  ref: InstanceRef
  snapshot: string
  /** Absolute. */
  path: string
  /** Of a list: from which row on, and how many. */
  skip?: number
  limit?: number
  /** Milliseconds that the caller can wait while that instance is made. */
  within?: number
  /** As of a batch. */
  record?: string
}

/** `other`: a device, a pipe or a socket, which has no contents. */
export type FileKind = 'file' | 'folder' | 'link' | 'other'

export type FileRow = {
  /** Of `/` it is `/`. */
  name: string
  kind: FileKind
  /** Bytes; of a file alone. */
  size: number | null
  /** Octal, such as `0644`. */
  mode: string
  uid: number
  gid: number
  /** ISO 8601; null: it isn't known. */
  modifiedAt: string | null
  /** Of a link: where it leads, as it is written there. It isn't followed. */
  target?: string
  /** Its name or target is no UTF-8: here it stands with other characters, and no path names it. */
  unreadable?: true
}

/** `preparing`: the instance is still being made, so it has to be asked again. The bytes of a `get` come instead of it, see below. */
export type FilesReply =
  | { state: 'preparing' }
  | { state: 'refused'; error: CallError }
  | {
      state: 'listed'
      itself: FileRow
      entries: FileRow[]
      /** Of all that is in the folder. */
      total: number
      /** From which row on there is more; null: there is none. */
      next: number | null
    }

/** The header of an answer with the bytes themselves: the `FileRow`, as JSON in ASCII. A folder's bytes are a tar. */
export const FILE_HEADER = 'x-stapes-file'
