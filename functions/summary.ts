/** What a run did, for the API, the log and the ledger. */
import { instanceKey } from '../shared/incus/inventory.ts'
import { describe } from '../shared/incus/refusal.ts'
import type { RunRecord } from '../shared/ledger/ledger.ts'
import type { Outcome } from '../shared/plan/jobs.ts'
import type { Action, Plan, Refusal } from '../shared/plan/plan.ts'
import { type Line, lineOf, linesOf } from '../shared/plan/render.ts'

export type Run =
  | { state: 'idle'; until: string }
  /** `problems`: why what was applied can't be used; none where nothing was. */
  | { state: 'unconfigured'; problems: string[] }
  | ({
      state: 'ran'
      lines: Line[]
      results: ActionResult[]
      refusal: Refusal | null
      started: Started
    } & RunRecord)

/** What came of one action. */
export type ActionResult = {
  line: Line
  state: 'done' | 'started' | 'refused' | 'unknown' | 'blocked'
  reason?: string
}

/** What later ticks see the end of: replica keys, and instance keys. */
export type Started = { copies: string[]; restores: string[] }

export function summarize(
  trigger: RunRecord['trigger'],
  plan: Plan,
  outcomes: readonly Outcome[],
  /** What is wrong with the state in KV; `lost`: part of the ledger, which is worth a record of its own. */
  wrong: { problems: readonly string[]; lost: boolean } = { problems: [], lost: false },
): { summary: Extract<Run, { state: 'ran' }>; entry: RunRecord | null } {
  const done = (kind: Action['kind']) =>
    outcomes.filter(({ action, state }) => action.kind === kind && state === 'done').length
  const unverified = new Set(
    outcomes.flatMap(({ action, state }) =>
      action.kind === 'verify' && state !== 'done' ? [action.key] : [],
    ),
  )
  const verifies = new Set(outcomes.flatMap(({ action }) => (action.kind === 'verify' ? [action.key] : [])))
  const noted = plan.notes
    .filter(({ kind }) => kind === 'problem')
    .map(({ about, reason }) => `${about}: ${reason}`)
  const thawed = outcomes.flatMap(({ action, state }) =>
    action.kind === 'thaw' && state === 'done' ? [`${instanceKey(action.ref)}: ${action.reason}`] : [],
  )
  const entry: RunRecord = {
    at: plan.at,
    trigger,
    taken: done('snapshot'),
    expired: done('expire'),
    copiesStarted: done('copy'),
    verified: verifies.size - unverified.size,
    problems: [...wrong.problems, ...noted, ...outcomes.flatMap(problemOf)],
    ...(thawed.length === 0 ? {} : { thawed }),
  }
  const eventful = outcomes.length > 0 || wrong.lost
  return {
    summary: {
      state: 'ran',
      lines: linesOf(plan),
      results: outcomes.map(resultOf),
      refusal: plan.refusal,
      started: startedBy(outcomes),
      ...entry,
    },
    entry: eventful ? { ...entry, problems: entry.problems.slice(0, 20) } : null,
  }
}

function resultOf(outcome: Outcome): ActionResult {
  const { action, state } = outcome
  const line = lineOf(action)
  if (state === 'refused') return { line, state, reason: describe(outcome.error) }
  if (state === 'unknown') return { line, state, reason: outcome.reason }
  if (state === 'blocked') return { line, state, reason: 'what stands before it in its job failed' }
  return { line, state: action.kind === 'copy' || action.kind === 'restore' ? 'started' : 'done' }
}

/** One whose answer was lost may have started as well. */
function startedBy(outcomes: readonly Outcome[]): Started {
  const begun = outcomes.filter(({ state }) => state === 'done' || state === 'unknown')
  return {
    copies: begun.flatMap(({ action }) => (action.kind === 'copy' ? [action.key] : [])),
    restores: begun.flatMap(({ action }) => (action.kind === 'restore' ? [instanceKey(action.ref)] : [])),
  }
}

function problemOf(outcome: Outcome): string[] {
  const { action } = outcome
  const about = 'ref' in action ? instanceKey(action.ref) : action.key
  if (outcome.state === 'refused') return [`${about} ${action.kind}: ${describe(outcome.error)}`]
  if (outcome.state === 'unknown')
    return [`${about} ${action.kind}: ${outcome.reason}; the next tick looks whether it happened`]
  return []
}
