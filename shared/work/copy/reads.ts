/** Asks the relay, before copies start, whether they can be made. */

import { own } from '../../own.ts'
import type { Outcome } from '../../plan/jobs.ts'
import type { Note } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { CallError, Job, StepReport } from '../../relay/protocol.ts'
import type { CopyCheck } from '../../relay/steps.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Answers, Prepared } from '../kind.ts'
import type { CopyAction, PermitAction, VerifyAction } from './action.ts'
import { checkedCopy, copyJob, sendingOf, verifyJob } from './steps.ts'

type AnyCopyAction = CopyAction | PermitAction | VerifyAction

const isCopy = (action: AnyCopyAction): action is CopyAction => action.kind === 'copy'
const isVerify = (action: AnyCopyAction): action is VerifyAction => action.kind === 'verify'
const isPermit = (action: AnyCopyAction): action is PermitAction => action.kind === 'permit'

type Seen = Pick<World, 'remotes'>

export const readJobs = (actions: readonly AnyCopyAction[], { remotes }: Seen): Job[] =>
  actions.filter(isCopy).map((action) => {
    const reply = own(remotes, action.target.remote)
    const rules = reply?.ok === true ? own(reply.inventory.projectRules, action.target.project) : undefined
    return { id: action.job, steps: [{ do: 'check-copy', rules: rules ?? null, ...sendingOf(action) }] }
  })

/** A copy isn't tried if its source can't be read, or the target would refuse it. */
export function prepareCopies(actions: readonly AnyCopyAction[], answers: Answers): Prepared {
  const prepared = actions.filter(isCopy).map((action) => prepareOne(action, answers))
  return {
    jobs: [...actions.filter(isVerify).map(verifyJob), ...prepared.flatMap(({ jobs }) => jobs)],
    outcomes: [
      // The record of the run is all there is to it.
      ...actions.filter(isPermit).map((action): Outcome => ({ action, state: 'done' })),
      ...prepared.flatMap(({ outcomes }) => outcomes),
    ],
    notes: prepared.flatMap(({ notes }) => notes),
  }
}

function prepareOne(action: CopyAction, answers: Answers): Prepared {
  const check = checkOf(answers.of(action.job)?.[0], answers.error)
  const error = check.ok ? refusalIn(check.value) : check.error
  if (!check.ok || error !== null) {
    const outcome: Outcome = { action, state: 'refused', error: error ?? NO_ANSWER }
    return { jobs: [], outcomes: [outcome], notes: [] }
  }
  return {
    jobs: [copyJob(checkedCopy(action, check.value))],
    outcomes: [],
    notes: check.value.warnings.map((reason): Note => ({ kind: 'problem', about: action.key, reason })),
  }
}

const refusalIn = ({ refusal }: CopyCheck): CallError | null =>
  refusal === null ? null : { code: 'bad-request', message: refusal }

const NO_ANSWER: CallError = { code: 'timeout', message: 'the relay gave no answer about the copy' }

function checkOf(report: StepReport | undefined, error: CallError | null): Result<CopyCheck, CallError> {
  if (report === undefined) return err(error ?? NO_ANSWER)
  return report.ok ? ok(report.metadata as CopyCheck) : report
}
