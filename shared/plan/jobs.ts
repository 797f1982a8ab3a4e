/** From a plan to the relay's jobs, and from the relay's answers back to outcomes. */
import { type InstanceRef, instanceKey } from '../incus/inventory.ts'
import { request } from '../incus/routes.ts'
import { NEVER } from '../incus/source.ts'
import { COPYING, HOLD, OWNER, PROTECTION, RESTORED, RESTORING, VERIFIED } from '../policy/marks.ts'
import type { CallError, Job, Step, StepReport } from '../relay/protocol.ts'
import { renderVerified } from './marks.ts'
import type {
  Action,
  ExpireAction,
  HoldAction,
  MarkAction,
  SnapshotAction,
  StartAction,
  ThawAction,
  UndoAction,
  VerifyAction,
} from './plan.ts'
import { renderTransfer, restOf } from './transfer.ts'

/** What follows an instance's snapshots in its job. */
type Other = ExpireAction | HoldAction | MarkAction | StartAction | ThawAction | UndoAction

/** A job with the action that each of its steps belongs to. */
export type Work = { job: Job; parts: Action[] }

export type Outcome =
  | { action: Action; state: 'done' }
  | { action: Action; state: 'refused'; error: CallError }
  /** Sent or not, we can't tell: the next observation will. */
  | { action: Action; state: 'unknown'; reason: string }
  /** An earlier step of its job failed, so it was not sent. */
  | { action: Action; state: 'blocked' }

const STEP_WAIT = 600

/**
 * One job per instance: its snapshots first; only when all of them are there does anything expire. One
 * that replaces a snapshot shares the lock of copies: neither a copy nor a tick at the same time may
 * meet the moment in which there is none. So does one that thaws: what a copy froze stays frozen.
 */
export function instanceJobs(actions: readonly Action[]): Work[] {
  const byInstance = new Map<string, { takes: SnapshotAction[]; others: Other[] }>()
  for (const action of actions) {
    if (action.kind === 'copy' || action.kind === 'verify' || action.kind === 'restore') continue
    const key = instanceKey(action.ref)
    const group = byInstance.get(key) ?? { takes: [], others: [] }
    byInstance.set(key, group)
    if (action.kind === 'snapshot') group.takes.push(action)
    else group.others.push(action)
  }
  return [...byInstance].map(([key, { takes, others }]) => ({
    job: {
      id: key,
      ...(takes.some(({ again }) => again) || others.some(({ kind }) => kind === 'thaw')
        ? { lock: key }
        : {}),
      steps: [...takes.flatMap(takeSteps), ...others.flatMap(otherSteps)],
    },
    parts: [
      ...takes.flatMap((take) => takeSteps(take).map(() => take)),
      ...others.flatMap((other) => otherSteps(other).map(() => other)),
    ],
  }))
}

/** Expiries first, the marks after them: what is marked is wholly taken care of. */
export function verifyWork(action: VerifyAction): Work {
  const { source, target, key, marks, rest, expiries, restore, protect, owner, expire } = action
  const left = restOf(rest)
  const steps: Step[] = [
    ...expiries.map(({ snapshot, expiresAt }) => setExpiry(target, snapshot, expiresAt ?? NEVER)),
    ...restore.map(({ snapshot, expiresAt }) => setExpiry(source, snapshot, expiresAt)),
    markStep(target, {
      [VERIFIED]: renderVerified(marks),
      [COPYING]: left === null ? '' : renderTransfer(left),
      [OWNER]: owner,
    }),
    ...(protect ? [markStep(target, { [PROTECTION]: 'true' })] : []),
  ]
  return {
    // Its steps on the source would meet a snapshot or an expiry that holds the instance.
    job: { id: `verify ${key}`, after: instanceKey(source), steps: [...steps, ...expire.map(expireStep)] },
    parts: [...steps.map(() => action), ...expire],
  }
}

export const where = ({ project, instance }: InstanceRef) => ({
  parameters: { instance },
  query: { project },
})

/** A daemon killed in mid-create leaves a partial snapshot that looks whole, so one whose end nobody saw goes first. */
function takeSteps({ ref, name, stateful, expiresAt, again }: SnapshotAction): Step[] {
  const { parameters, query } = where(ref)
  const body = { name, stateful, expires_at: expiresAt ?? NEVER }
  const take = { remote: ref.remote, wait: STEP_WAIT, ...request('createSnapshot', parameters, query, body) }
  return again ? [expireStep({ ref, snapshot: name }), take] : [take]
}

function otherSteps(action: Other): Step[] {
  switch (action.kind) {
    case 'expire':
      return [expireStep(action)]
    case 'hold':
      return [setExpiry(action.ref, action.snapshot, action.expiresAt ?? NEVER)]
    case 'mark':
      return [
        markStep(action.ref, { [`${HOLD}${action.snapshot}`]: action.note ?? '' }),
        setExpiry(action.ref, action.snapshot, action.expiresAt ?? NEVER),
      ]
    case 'start':
      return [startStep(action)]
    case 'thaw':
      return [startStep(action, 'unfreeze')]
    case 'undo':
      return [
        markStep(action.ref, { [RESTORING]: '', [RESTORED]: action.safeties.join(' ') }),
        ...(action.start ? [startStep(action)] : []),
      ]
  }
}

function startStep({ ref }: Pick<StartAction, 'ref'>, action: 'start' | 'unfreeze' = 'start'): Step {
  const { parameters, query } = where(ref)
  const call = request('startInstance', parameters, query, { action })
  return { remote: ref.remote, wait: STEP_WAIT, ...call }
}

export function expireStep({ ref, snapshot }: Pick<ExpireAction, 'ref' | 'snapshot'>): Step {
  const { parameters, query } = where(ref)
  return {
    remote: ref.remote,
    wait: STEP_WAIT,
    tolerate: [404],
    ...request('deleteSnapshot', { ...parameters, snapshot }, query),
  }
}

/** A snapshot that vanished meanwhile needs no expiry. */
export function setExpiry(ref: InstanceRef, snapshot: string, expiresAt: string): Step {
  const { parameters, query } = where(ref)
  const call = request('patchSnapshot', { ...parameters, snapshot }, query, { expires_at: expiresAt })
  return { remote: ref.remote, wait: STEP_WAIT, tolerate: [404], ...call }
}

export function markStep(ref: InstanceRef, config: Record<string, string>): Step {
  const { parameters, query } = where(ref)
  return { remote: ref.remote, ...request('markInstance', parameters, query, { config }) }
}

/**
 * One outcome an action: done when all its steps are. A job without an answer, or whose answer ends
 * early without an error, is unknown.
 */
export function outcomesOf({ parts }: Work, reports: readonly StepReport[] | null): Outcome[] {
  const failed = reports?.some(({ ok }) => !ok) === true
  const outcomes = new Map<Action, Outcome>()
  for (const [step, action] of parts.entries()) {
    const before = outcomes.get(action)
    if (before !== undefined && before.state !== 'done') continue
    outcomes.set(action, stepOutcome(action, reports?.[step], failed))
  }
  return [...outcomes.values()]
}

function stepOutcome(action: Action, report: StepReport | undefined, failed: boolean): Outcome {
  if (report?.ok === true) return { action, state: 'done' }
  if (report?.ok === false) return { action, state: 'refused', error: report.error }
  return failed
    ? { action, state: 'blocked' }
    : { action, state: 'unknown', reason: 'the relay gave no answer' }
}
