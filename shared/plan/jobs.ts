/** Jobs for the relay with their actions, and the outcomes of actions from the relay's answers. */
import type { CallError, Job, StepReport } from '../relay/protocol.ts'
import type { AnyAction } from './plan.ts'

/** A job with the action that each of its steps belongs to. */
export type PlannedJob = { job: Job; parts: readonly AnyAction[] }

export type Outcome<Action extends AnyAction = AnyAction> =
  /** `reply`: of its last step. */
  | { action: Action; state: 'done'; reply?: unknown }
  /** `partly`: an earlier step of it was performed. */
  | { action: Action; state: 'refused'; error: CallError; partly?: true }
  /** Whether it was performed isn't known until the next observation. */
  | { action: Action; state: 'unknown'; reason: string }
  /** An earlier step of its job failed, so it was not sent. */
  | { action: Action; state: 'blocked' }

/**
 * One outcome an action: done when all its steps are. A job without an answer, or whose answer ends
 * early without an error, is unknown.
 */
export function outcomesOf({ parts }: PlannedJob, reports: readonly StepReport[] | null): Outcome[] {
  const failed = reports?.some(({ ok }) => !ok) === true
  const outcomes = new Map<AnyAction, Outcome>()
  for (const [step, action] of parts.entries()) {
    const before = outcomes.get(action)
    if (before !== undefined && before.state !== 'done') continue
    const outcome = stepOutcome(action, reports?.[step], failed)
    const isPart = before !== undefined && outcome.state === 'refused'
    outcomes.set(action, isPart ? { ...outcome, partly: true } : outcome)
  }
  return [...outcomes.values()]
}

function stepOutcome(action: AnyAction, report: StepReport | undefined, failed: boolean): Outcome {
  if (report?.ok === true)
    return { action, state: 'done', ...(report.metadata === undefined ? {} : { reply: report.metadata }) }
  if (report?.ok === false) return { action, state: 'refused', error: report.error }
  return failed
    ? { action, state: 'blocked' }
    : { action, state: 'unknown', reason: 'the relay gave no answer' }
}
