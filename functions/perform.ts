/** Performs a plan through the relay: at most two calls, however many instances. */
import { type Outcome, outcomesOf, type PlannedJob } from '../shared/plan/jobs.ts'
import type { AnyAction, Note, Plan } from '../shared/plan/plan.ts'
import type { World } from '../shared/plan/world.ts'
import type { CallError, Job } from '../shared/relay/protocol.ts'
import { senders, subjectJobs } from '../shared/work/jobs.ts'
import type { Answers, Prepared } from '../shared/work/kind.ts'
import type { Action } from '../shared/work/kinds.ts'
import { partsOf, subjectsOf, verbOf } from '../shared/work/verbs.ts'
import type { Batched, JobAnswer, Relay } from './incus/relay.ts'
import { oneByOne } from './one-by-one.ts'

/** `notes`: what was found meanwhile, for people. */
type Performed = { outcomes: Outcome[]; notes: Note[] }

type Seen = Pick<World, 'remotes'>

/**
 * `record`: what the relay's log has to hold before it begins. `onLate` is called at most once, while the relay takes
 * long, with what is known so far and the rest as unknown.
 */
export async function perform(
  plan: Plan<Action>,
  relay: Relay,
  world: Seen,
  record?: string,
  onLate: (outcomes: Outcome[]) => void = () => {},
): Promise<Performed> {
  const prepared = await prepare(plan, relay, world)
  const { notes } = prepared
  const ofSubjects = oneByOne(plan.actions, subjectOf, (some) => ({ jobs: subjectJobs(some), outcomes: [] }))
  const first = ofSubjects.flatMap(({ jobs }) => jobs)
  const all = [...first, ...prepared.jobs.map((planned) => afterThose(planned, first))]
  const outcomes = [...ofSubjects.flatMap((part) => part.outcomes), ...prepared.outcomes].flatMap(ofParts)
  if (all.length === 0) return { outcomes, notes }
  const outcomesBy = ({ answers, error }: Batched): Outcome[] => [
    ...outcomes,
    ...all.flatMap((planned) => outcomesFrom(planned, answers.get(planned.job.id), error)).flatMap(ofParts),
  ]
  const jobs = all.map(({ job }) => job)
  const batched = await relay.batch(jobs, record, {
    onLate: (answers) => onLate(outcomesBy({ answers, error: LATE })),
  })
  return { outcomes: outcomesBy(batched), notes }
}

/** What waits for the job of a subject waits for the one that this shares with others. */
function afterThose(planned: PlannedJob, first: readonly PlannedJob[]): PlannedJob {
  const { after } = planned.job
  const shared = first.find(({ parts }) => parts.some((part) => subjectsOf(part).includes(after ?? '')))
  return after === undefined || shared === undefined
    ? planned
    : { ...planned, job: { ...planned.job, after: shared.job.id } }
}

/** One for each action that it stands for. */
const ofParts = (outcome: Outcome): Outcome[] =>
  partsOf(outcome.action).map((action) => ({ ...outcome, action }))

const LATE: CallError = { code: 'timeout', message: 'it had not ended when this was written' }

/** For a dry run: actions that would be refused before they are sent, and notes about them. */
export async function foresee(plan: Plan<Action>, relay: Relay, world: Seen): Promise<Note[]> {
  const { outcomes, notes } = await prepare(plan, relay, world)
  const refused = outcomes.flatMap((outcome): Note[] => {
    if (outcome.state !== 'refused' || outcome.error.code !== 'bad-request') return []
    return [{ kind: 'problem', about: aboutOf(outcome.action), reason: outcome.error.message }]
  })
  return [...refused, ...notes]
}

/** What a problem of an action is about. */
export function aboutOf(action: AnyAction): string {
  const { about, subject } = verbOf(action)
  return about === undefined ? subject(action) : about(action)
}

/** The kinds' own jobs; what they need is read in one call. */
async function prepare(plan: Plan<Action>, relay: Relay, world: Seen): Promise<Prepared> {
  const sending = senders(plan.actions)
  const reads = sending.flatMap(({ send, actions }) =>
    oneByOne(actions, subjectOf, (some) => ({
      jobs: [],
      outcomes: [],
      reads: send.reads?.(some, world) ?? [],
    })),
  )
  const answers = await read(
    reads.flatMap((part) => ('reads' in part ? part.reads : [])),
    relay,
  )
  const prepared = sending.flatMap(({ send, actions }) =>
    oneByOne(actions, subjectOf, (some) => send.prepare(some, answers)),
  )
  return {
    jobs: prepared.flatMap(({ jobs }) => jobs),
    outcomes: prepared.flatMap(({ outcomes }) => outcomes),
    notes: prepared.flatMap((part) => ('notes' in part ? part.notes : [])),
  }
}

const subjectOf = (action: AnyAction): string => verbOf(action).subject(action)

/** Milliseconds: a server that answers slowly must not take the time in which the others' work is done. */
const READ_LIMIT = 120_000

/** Calls that change nothing. */
export async function read(jobs: readonly Job[], relay: Relay): Promise<Answers> {
  if (jobs.length === 0) return { of: () => null, error: null }
  const { answers, error } = await relay.batch(jobs, undefined, { limit: READ_LIMIT })
  return {
    of: (job) => {
      const answer = answers.get(job)
      return answer === undefined || answer === 'accepted' ? null : answer
    },
    error,
  }
}

function outcomesFrom(
  planned: PlannedJob,
  answer: JobAnswer | undefined,
  error: CallError | null,
): Outcome[] {
  if (answer === 'accepted') return planned.parts.map((action) => ({ action, state: 'done' }))
  if (answer !== undefined) return outcomesOf(planned, answer)
  // Nothing was sent when the relay refused the call or could not be reached.
  const sent = error === null || error.code === 'timeout'
  return sent
    ? planned.parts.map((action) => ({
        action,
        state: 'unknown',
        reason: error?.message ?? 'the relay gave no answer',
      }))
    : planned.parts.map((action) => ({ action, state: 'refused', error }))
}
