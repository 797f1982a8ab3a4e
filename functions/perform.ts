/** Carries a plan out through the relay: at most two calls, however many instances. */

import { instanceKey } from '../shared/incus/inventory.ts'
import { memoOf } from '../shared/plan/copies-record.ts'
import { copySteps, type Transfer } from '../shared/plan/copy-steps.ts'
import { instanceJobs, type Outcome, outcomesOf, verifyWork, type Work } from '../shared/plan/jobs.ts'
import type { CopyAction, Note, Plan, RestoreAction, VerifyAction } from '../shared/plan/plan.ts'
import { restoreWork } from '../shared/plan/restore-job.ts'
import type { World } from '../shared/plan/world.ts'
import type { CallError, Job } from '../shared/relay/protocol.ts'
import type { JobAnswer, Relay } from './incus/relay.ts'
import { fitNotes, type ReadCopies, readCopies } from './read-copies.ts'

/** `notes`: what was learned on the way, for people. */
export type Performed = { outcomes: Outcome[]; notes: Note[] }

export async function perform(
  plan: Plan,
  relay: Relay,
  world: Pick<World, 'remotes'>,
  now: Date,
): Promise<Performed> {
  const copies = plan.actions.filter((action): action is CopyAction => action.kind === 'copy')
  const verifies = plan.actions.filter((action): action is VerifyAction => action.kind === 'verify')
  const read = await readCopies(copies, relay, world)
  const { ready, outcomes } = prepare(read, now)
  const notes = fitNotes(read.filter(({ action }) => !outcomes.some((one) => one.action === action)))
  const restores = plan.actions.filter((action): action is RestoreAction => action.kind === 'restore')
  const works: Work[] = [
    ...instanceJobs(plan.actions),
    ...verifies.map(verifyWork),
    ...restores.map(restoreWork),
    ...ready,
  ]
  if (works.length === 0) return { outcomes, notes }
  const { answers, error } = await relay.batch(works.map(({ job }) => job))
  const ended = works.flatMap((work) => outcomeOf(work, answers.get(work.job.id), error))
  return { outcomes: [...outcomes, ...ended], notes }
}

function outcomeOf(work: Work, answer: JobAnswer | undefined, error: CallError | null): Outcome[] {
  if (answer === 'accepted') return work.parts.map((action) => ({ action, state: 'done' }))
  if (answer !== undefined) return outcomesOf(work, answer)
  // Nothing was sent when the relay refused the call or could not be reached.
  const sent = error === null || error.code === 'timeout'
  return sent
    ? work.parts.map((action) => ({
        action,
        state: 'unknown',
        reason: error?.message ?? 'the relay gave no answer',
      }))
    : work.parts.map((action) => ({ action, state: 'refused', error }))
}

/** What can't be read, or wouldn't be taken by the target, isn't tried. */
function prepare(copies: ReadCopies, now: Date): { ready: Work[]; outcomes: Outcome[] } {
  const ready: Work[] = []
  const outcomes: Outcome[] = []
  for (const { action, read } of copies) {
    if (!read.ok) outcomes.push({ action, state: 'refused', error: read.error })
    else if (read.value.fit.refusal !== null) {
      const error: CallError = { code: 'bad-request', message: read.value.fit.refusal }
      outcomes.push({ action, state: 'refused', error })
    } else {
      const { details, onTarget } = read.value
      ready.push(copyWork(copySteps(action, details, onTarget, now)))
    }
  }
  return { ready, outcomes }
}

function copyWork({ steps, action }: Transfer): Work {
  const { job: id, key: family, source } = action
  const lock = instanceKey(source)
  // A snapshot that is being made when a transfer begins fails it.
  const job: Job = { id, family, lock, after: lock, detach: true, memo: memoOf(action), steps }
  return { job, parts: [action] }
}
