/** What is noted of copies after a run. */
import { instanceKey } from '../incus/inventory.ts'
import { describe } from '../incus/refusal.ts'
import { retryCopyAt } from '../ledger/attempts.ts'
import type { CopyLedger, CopyMemo, Ledger } from '../ledger/ledger.ts'
import type { Outcome } from './jobs.ts'
import { renderVerified } from './marks.ts'
import type { CopyAction, HoldAction, Plan } from './plan.ts'

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
  if (action.kind === 'hold' && outcome.state !== 'done') forgetPutOff(copies, action)
  if (action.kind !== 'copy') return
  if (outcome.state === 'refused' && outcome.error.code === 'locked') {
    // Another job works on the source: nothing began, and what is known of the copy stays.
    restoreKnown(copies, before, action.key)
  } else copies[action.key] = started(action, copies[action.key], outcome, now)
}

function restoreKnown(copies: Record<string, CopyLedger>, before: Ledger, key: string): void {
  const known = before.copies[key]
  if (known === undefined) delete copies[key]
  else copies[key] = known
}

/** It may still expire when Incus said, so the next run puts it off again. */
function forgetPutOff(copies: Record<string, CopyLedger>, { ref, snapshot }: HoldAction): void {
  for (const [key, { putOff, ...rest }] of Object.entries(copies))
    if (putOff?.snapshot === snapshot && key.startsWith(`${instanceKey(ref)}>`)) copies[key] = rest
}

/** What a success of its job vouches for. */
export const memoOf = ({ through, extended, stale, standstill }: CopyAction): CopyMemo => ({
  through,
  extended,
  ...(stale.length === 0 ? {} : { stale }),
  ...(standstill === null ? {} : { freezes: true }),
})

function started(action: CopyAction, known: CopyLedger | undefined, outcome: Outcome, now: Date): CopyLedger {
  const base = {
    // What was verified on a copy that isn't there any more is no backup.
    ...(action.first || known?.newest === undefined ? {} : { newest: known.newest }),
    ...(action.first ? {} : { verified: renderVerified(action.verified) }),
    ...(known?.took === undefined ? {} : { took: known.took }),
    ...(known?.putOff === undefined ? {} : { putOff: known.putOff }),
    job: action.job,
    memo: memoOf(action),
    attempts: known?.attempts ?? 0,
    at: now.toISOString(),
  }
  if (outcome.state === 'done') return { ...base, state: 'started' }
  if (outcome.state === 'refused') {
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
