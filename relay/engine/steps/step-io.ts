/** What the steps of jobs work with: the requests to Incus, and what the relay knows by itself. */
import type { CallError, Job } from '../../../shared/relay/protocol.ts'
import type { Result } from '../../../shared/result.ts'
import type { Arrivals } from '../arrivals.ts'
import type { CallIo } from '../call-list.ts'
import type { Call } from '../calls.ts'
import type { Locks } from '../locks.ts'
import type { Seal } from '../seal.ts'
import type { Sightings } from '../sightings.ts'

export type StepIo = CallIo & {
  sightings: Sightings
  seal: Seal
  locks: Locks
  arrivals: Arrivals
}

/** The requests that a step comes to. `done`: called once they have all succeeded. */
export type Planned = { calls: Call[]; reply?: unknown; done?: () => void }

/** Plans one kind of step; an error refuses it, and nothing was sent. */
export type PlanStep<S> = (
  step: S,
  io: StepIo,
  job: Job,
) => Result<Planned, CallError> | Promise<Result<Planned, CallError>>
