/** Carries a plan out through the relay: at most two calls, however many instances. */

import { type InstanceRef, instanceKey } from '../shared/incus/inventory.ts'
import { request } from '../shared/incus/routes.ts'
import { parseExpiries, parseSource } from '../shared/incus/source.ts'
import { memoOf } from '../shared/plan/copies-record.ts'
import { copySteps, type Transfer } from '../shared/plan/copy-steps.ts'
import { instanceJobs, type Outcome, outcomesOf, verifyWork, type Work } from '../shared/plan/jobs.ts'
import type { CopyAction, Plan, RestoreAction, VerifyAction } from '../shared/plan/plan.ts'
import { restoreWork } from '../shared/plan/restore-job.ts'
import type { CallError, Job } from '../shared/relay/protocol.ts'
import { ok } from '../shared/result.ts'
import type { JobAnswer, Relay } from './incus/relay.ts'

export async function perform(plan: Plan, relay: Relay, now: Date): Promise<Outcome[]> {
  const copies = plan.actions.filter((action): action is CopyAction => action.kind === 'copy')
  const verifies = plan.actions.filter((action): action is VerifyAction => action.kind === 'verify')
  const { ready, outcomes } = await prepare(copies, relay, now)
  const restores = plan.actions.filter((action): action is RestoreAction => action.kind === 'restore')
  const works: Work[] = [
    ...instanceJobs(plan.actions),
    ...verifies.map(verifyWork),
    ...restores.map(restoreWork),
    ...ready,
  ]
  if (works.length === 0) return outcomes
  const { answers, error } = await relay.batch(works.map(({ job }) => job))
  return [...outcomes, ...works.flatMap((work) => outcomeOf(work, answers.get(work.job.id), error))]
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

/** Reads each source in full: its body for a first copy, and the expiries that would fall into the transfer. */
async function prepare(
  copies: readonly CopyAction[],
  relay: Relay,
  now: Date,
): Promise<{ ready: Work[]; outcomes: Outcome[] }> {
  if (copies.length === 0) return { ready: [], outcomes: [] }
  const { answers, error } = await relay.batch(copies.map(readJob))
  const ready: Work[] = []
  const outcomes: Outcome[] = []
  for (const action of copies) {
    const refusal = prepareOne(action, answers.get(action.job), error, now, ready)
    if (refusal !== null) outcomes.push({ action, state: 'refused', error: refusal })
  }
  return { ready, outcomes }
}

function prepareOne(
  action: CopyAction,
  answer: JobAnswer | undefined,
  error: CallError | null,
  now: Date,
  ready: Work[],
): CallError | null {
  if (answer === undefined || answer === 'accepted')
    return error ?? { code: 'timeout', message: 'the relay gave no answer about the source' }
  const [one, list, onTarget] = answer
  if (one?.ok !== true || list?.ok !== true || (onTarget?.ok !== true && !action.first)) {
    const failed = answer.find((report) => !report.ok)
    return failed?.ok === false
      ? failed.error
      : { code: 'timeout', message: 'the relay gave half an answer about the source' }
  }
  const details = parseSource(one.metadata, list.metadata)
  if (!details.ok) return { code: 'bad-reply', message: details.error }
  const there = onTarget?.ok === true ? parseExpiries(onTarget.metadata) : ok([])
  if (!there.ok) return { code: 'bad-reply', message: there.error }
  ready.push(copyWork(action, copySteps(action, details.value, there.value, now)))
  return null
}

function copyWork(action: CopyAction, { steps, extended }: Transfer): Work {
  const known = { ...action, extended }
  const memo = memoOf(known)
  const { job: id, key: family, source } = action
  const lock = instanceKey(source)
  // A snapshot that is being made when a transfer begins fails it.
  const job: Job = { id, family, lock, after: lock, detach: true, memo, steps }
  return { job, parts: [known] }
}

function readJob({ job, source, target, first }: CopyAction): Job {
  const read = ({ remote, instance, project }: InstanceRef) => ({
    one: { remote, reply: true, ...request('getInstance', { instance }, { project }) },
    list: { remote, reply: true, ...request('listSnapshots', { instance }, { project, recursion: '1' }) },
  })
  const { one, list } = read(source)
  return { id: job, steps: first ? [one, list] : [one, list, read(target).list] }
}
