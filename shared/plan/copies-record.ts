/** What is noted of copies after a run. */
import { describe } from '../incus/refusal.ts'
import { retryCopyAt } from '../ledger/attempts.ts'
import type { CopyLedger, Ledger } from '../ledger/ledger.ts'
import type { Outcome } from './jobs.ts'
import type { CopyAction, Plan } from './plan.ts'

export function copiesAfter(
  before: Ledger,
  plan: Plan,
  outcomes: readonly Outcome[],
  now: Date,
): Record<string, CopyLedger> {
  const learned = Object.fromEntries(plan.copies.map(({ key, ledger }) => [key, ledger]))
  const copies = { ...keptCopies(before, now), ...learned }
  for (const outcome of outcomes) recordCopy(copies, before, outcome, now)
  return copies
}

/** Replicas that nobody asked about for a month are forgotten; Incus has their marks. */
const keptCopies = (before: Ledger, now: Date): Record<string, CopyLedger> =>
  Object.fromEntries(
    Object.entries(before.copies).filter(
      ([, { at }]) => now.getTime() - new Date(at).getTime() < 30 * 86_400_000,
    ),
  )

function recordCopy(copies: Record<string, CopyLedger>, before: Ledger, outcome: Outcome, now: Date): void {
  const { action } = outcome
  if (action.kind === 'verify' && outcome.state !== 'done') {
    // What isn't marked isn't verified: leave it as it was, so that the next tick verifies again.
    const known = before.copies[action.key] ?? copies[action.key]
    if (known !== undefined) copies[action.key] = { ...known, state: 'running' }
  }
  if (action.kind === 'copy') copies[action.key] = started(action, copies[action.key], outcome, now)
}

function started(action: CopyAction, known: CopyLedger | undefined, outcome: Outcome, now: Date): CopyLedger {
  const base = {
    ...(known?.newest === undefined ? {} : { newest: known.newest }),
    job: action.job,
    memo: { through: action.through, extended: action.extended },
    attempts: known?.attempts ?? 0,
    at: now.toISOString(),
  }
  if (outcome.state === 'done') return { ...base, state: 'started' }
  if (outcome.state === 'refused' && outcome.error.code !== 'locked') {
    const attempts = base.attempts + 1
    return {
      ...base,
      state: 'failed',
      attempts,
      reason: describe(outcome.error),
      retryAt: retryCopyAt(attempts, now),
    }
  }
  // Perhaps it was started: the next observation shows it running, or not.
  return { ...base, state: 'started' }
}
