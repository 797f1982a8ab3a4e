/** What the steps of jobs work with: the requests to Incus, and what the relay knows by itself. */
import type { CallError, Job } from '../../../shared/relay/protocol.ts'
import type { Result } from '../../../shared/result.ts'
import type { Arrivals } from '../arrivals.ts'
import type { Busy } from '../busy.ts'
import type { CallIo, Watcher } from '../call-list.ts'
import type { Call } from '../calls.ts'
import type { Cancels } from '../cancels.ts'
import type { Exports, Fetch } from '../exports.ts'
import type { Clones } from '../files/readable.ts'
import type { Groups } from '../groups.ts'
import type { Locks } from '../locks.ts'
import type { Sightings } from '../sightings.ts'
import type { Temporaries } from '../temporaries.ts'
import type { Connect, Upload } from '../upstream.ts'

export type StepIo = CallIo & {
  sightings: Sightings
  locks: Locks
  busy: Busy
  cancels: Cancels
  arrivals: Arrivals
  exports: Exports
  temporaries: Temporaries
  groups: Groups
  /** A file from Incus. */
  fetch: Fetch
  /** A file to Incus. */
  upload: Upload
  /** To the files of an instance. */
  connect: Connect
  /** Instances that files are read from. */
  clones: Clones
}

/** The requests that a step comes to. */
export type Planned = {
  calls: Call[]
  reply?: unknown
  /** Called once they have all succeeded. */
  done?: () => void
  /** What follows then, by what is so by then. */
  next?: () => Promise<Result<Planned, CallError>>
}

/** Plans one kind of step; an error refuses it, and nothing was sent. */
export type PlanStep<S> = (
  step: S,
  io: StepIo,
  job: Job,
  /** Gets what the job waits for, and its progress. */
  watcher?: Watcher,
) => Result<Planned, CallError> | Promise<Result<Planned, CallError>>
