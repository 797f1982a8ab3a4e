/** What a run did, for the API, the log and the ledger. */
import { describe } from '../shared/incus/refusal.ts'
import type { RunRecord } from '../shared/ledger/ledger.ts'
import { keyIn, kindIn } from '../shared/ledger/work.ts'
import type { Outcome } from '../shared/plan/jobs.ts'
import type { Line } from '../shared/plan/line.ts'
import { linesOf } from '../shared/plan/lines.ts'
import type { Plan, Refusal } from '../shared/plan/plan.ts'
import { safeText } from '../shared/safe-text.ts'
import type { Action } from '../shared/work/kinds.ts'
import { COUNTS, LONG_KINDS, verbOf } from '../shared/work/verbs.ts'
import { aboutOf } from './perform.ts'

export type Run =
  | { state: 'idle'; until: string }
  /** `problems`: why the applied configuration can't be used; empty where none was applied. */
  | { state: 'unconfigured'; problems: string[] }
  | ({
      state: 'ran'
      lines: Line[]
      results: ActionResult[]
      refusal: Refusal | null
      started: Started
    } & RunView)

/** The outcome of one action. */
type ActionResult = {
  line: Line
  state: 'done' | 'started' | 'refused' | 'unknown' | 'blocked'
  reason?: string
}

/** Long work that was started, by kind: `copies` with replica keys, `restores` with instance keys, … */
type Started = Record<string, string[]>

/** A run's record as people read it: beside these, what its kinds count and list one by one (`taken`, `thawed`, …). */
type RunView = Pick<RunRecord, 'at' | 'trigger' | 'problems'>

export const runView = ({ at, trigger, counts, listed = {}, problems }: RunRecord): RunView => ({
  at,
  trigger,
  ...counts,
  problems,
  ...listed,
})

export function summarize(
  trigger: RunRecord['trigger'],
  plan: Plan<Action>,
  outcomes: readonly Outcome[],
  /** What is wrong with the state in KV; `lost`: part of the ledger, so that the run is recorded. */
  wrong: { problems: readonly string[]; lost: boolean } = { problems: [], lost: false },
): { summary: Extract<Run, { state: 'ran' }>; entry: RunRecord | null } {
  const noted = plan.notes
    .filter(({ kind }) => kind === 'problem')
    .map(({ about, reason }) => safeText(`${about}: ${reason}`, LONGEST))
  const listed = listedOf(outcomes)
  const entry: RunRecord = {
    at: plan.at,
    trigger,
    counts: countsOf(outcomes),
    ...(Object.keys(listed).length === 0 ? {} : { listed }),
    problems: most([...wrong.problems, ...noted, ...outcomes.flatMap((one) => problemOf(one, plan))]),
  }
  const eventful = outcomes.length > 0 || wrong.lost
  return {
    summary: {
      state: 'ran',
      lines: linesOf(plan),
      results: outcomes.map((one) => resultOf(one, plan)),
      refusal: plan.refusal,
      started: startedBy(outcomes),
      ...runView(entry),
    },
    entry: eventful ? { ...entry, problems: entry.problems.slice(0, 20) } : null,
  }
}

/** All counts, also those that are 0. */
function countsOf(outcomes: readonly Outcome[]): Record<string, number> {
  const done = outcomes
    .filter(({ state }) => state === 'done')
    .map(({ action }) => verbOf(action).counts?.name)
  return Object.fromEntries(COUNTS.map(({ name }) => [name, done.filter((one) => one === name).length]))
}

function listedOf(outcomes: readonly Outcome[]): Record<string, string[]> {
  const done = outcomes.filter(({ state }) => state === 'done').map(({ action }) => action)
  const names = new Set(done.flatMap((action) => verbOf(action).listed ?? []))
  return Object.fromEntries(
    [...names].map((name) => {
      const mine = done.filter((action) => verbOf(action).listed === name)
      return [name, mine.map((one) => `${aboutOf(one)}: ${one.reason}`)]
    }),
  )
}

/** What was asked for is tried once, except long work. What was done in part isn't unchanged. */
function whyRefused(
  { action, error, partly }: Extract<Outcome, { state: 'refused' }>,
  { requested }: Pick<Plan, 'requested'>,
): string {
  const once = requested && verbOf(action).begins === undefined
  return once && partly === true
    ? `${error.message} (a part of it was done, and nothing does the rest by itself)`
    : describe(error, once)
}

function resultOf(outcome: Outcome, plan: Pick<Plan, 'requested'>): ActionResult {
  const { action, state } = outcome
  const { line, begins } = verbOf(action)
  const shown = { line: line(action), state }
  if (state === 'refused') return { ...shown, state, reason: whyRefused(outcome, plan) }
  if (state === 'unknown') return { ...shown, state, reason: outcome.reason }
  if (state === 'blocked') return { ...shown, state, reason: 'an earlier step of its job failed' }
  return { ...shown, state: begins === undefined ? 'done' : 'started' }
}

/** Includes those with an unknown outcome, which may have started. */
function startedBy(outcomes: readonly Outcome[]): Started {
  const begun = outcomes
    .filter(({ state }) => state === 'done' || state === 'unknown')
    .flatMap(({ action }) => verbOf(action).begins?.(action) ?? [])
  return Object.fromEntries(
    LONG_KINDS.map(({ name, long }) => [
      long.noun.several,
      begun.filter((key) => kindIn(key) === name).map(keyIn),
    ]),
  )
}

/** Characters of a problem, and how many of them are told: a server may have thousands of instances. */
const LONGEST = 3000
const MOST = 500

const most = (problems: readonly string[]): string[] =>
  problems.length <= MOST
    ? [...problems]
    : [...problems.slice(0, MOST), `and ${problems.length - MOST} more problems`]

function problemOf(outcome: Outcome, plan: Pick<Plan, 'requested'>): string[] {
  const { action } = outcome
  const what = `${aboutOf(action)} ${action.kind}`
  if (outcome.state === 'refused') return [safeText(`${what}: ${whyRefused(outcome, plan)}`, LONGEST)]
  if (outcome.state === 'unknown')
    return [`${what}: ${outcome.reason}; the next tick checks whether it happened`]
  return []
}
