/** What may stay frozen after a run: instances of which no end of our work was seen, and those not thawed yet. */
import { instanceKey } from '../incus/inventory.ts'
import { classify, describe, endsUnseen } from '../incus/refusal.ts'
import type { FreezeLedger } from '../ledger/ledger.ts'
import type { Outcome } from './jobs.ts'
import type { Plan } from './plan.ts'

export function frozenAfter(
  plan: Plan,
  outcomes: readonly Outcome[],
  now: Date,
): Record<string, FreezeLedger> {
  const frozen = { ...plan.frozen }
  for (const outcome of outcomes) {
    const { action } = outcome
    if (action.kind === 'thaw') {
      const key = instanceKey(action.ref)
      const entry = frozen[key]
      if (outcome.state === 'done') delete frozen[key]
      else if (entry !== undefined) frozen[key] = tried(entry, outcome)
    }
    const begun = begunBy(outcome)
    if (begun !== null) frozen[begun.key] = { work: begun.work, at: now.toISOString() }
  }
  return frozen
}

function tried(entry: FreezeLedger, outcome: Outcome): FreezeLedger {
  if (outcome.state === 'refused' && outcome.error.code === 'locked') return entry
  const reason = outcome.state === 'refused' ? { reason: describe(outcome.error) } : {}
  return { ...entry, ...reason, tries: (entry.tries ?? 0) + 1 }
}

function begunBy(outcome: Outcome): { key: string; work: string } | null {
  const { action } = outcome
  if (action.kind === 'snapshot' && action.standstill !== null && endedUnseen(outcome))
    return { key: instanceKey(action.ref), work: `its snapshot ${action.name}` }
  if (action.kind === 'copy' && action.standstill !== null && outcome.state !== 'refused')
    return { key: instanceKey(action.source), work: `its copy to ${action.target.remote}` }
  // What comes after it lets it run again, unless that never came.
  if (action.kind === 'restore' && action.standstill !== null && outcome.state !== 'refused')
    return { key: instanceKey(action.ref), work: `its snapshot ${action.safety.name}` }
  return null
}

/** Whatever Incus answered, it has thawed before. */
const endedUnseen = (outcome: Outcome): boolean =>
  outcome.state === 'unknown' ||
  (outcome.state === 'refused' && (classify(outcome.error) === 'unknown' || endsUnseen(outcome.error)))
