/** Between runs: whether a glance shows something else, and what a run has shown of each promise. */
import { COMES_AGAIN } from '../shared/ledger/beat.ts'
import type { Outcome } from '../shared/plan/jobs.ts'
import type { Plan } from '../shared/plan/plan.ts'
import { effectiveConfig } from '../shared/policy/pause.ts'
import { remotesOf } from '../shared/policy/places.ts'
import { type Facts, isNews, withFormer } from '../shared/promise/facts.ts'
import { glancesOf } from '../shared/promise/glance.ts'
import { withHistory } from '../shared/promise/history.ts'
import { withOutcomes } from '../shared/promise/record.ts'
import type { Action } from '../shared/work/kinds.ts'
import type { Relay } from './incus/relay.ts'
import type { StoredConfig } from './state/config.ts'
import { writeFacts } from './state/facts.ts'
import type { State } from './state/ledger.ts'

type When = { kind: keyof typeof COMES_AGAIN; at: Date }

/** Null: there is nothing to look at. */
export async function glance(
  stored: StoredConfig,
  { kind, at }: When,
  relay: Relay,
): Promise<Record<string, string> | null> {
  const remotes = remotesOf(effectiveConfig(stored, at).policies)
  if (remotes.length === 0) return null
  return glancesOf(remotes, await relay.glance({ remotes, ...COMES_AGAIN[kind] }))
}

type Shown = {
  stored: StoredConfig
  outcomes: readonly Outcome[]
  before: Facts | null
  /** Parts of them that could not be read, or believed. */
  unread: readonly string[]
  /** Null: none led to this run. */
  glances: Record<string, string> | null
  /** Policies for which nothing could be planned. */
  leftOut: readonly string[]
}

/** Why it could not be noted. */
export async function noteFacts(
  plan: Plan<Action>,
  { stored, outcomes, before, unread, glances, leftOut }: Shown,
  now: Date,
  state: State,
): Promise<string[]> {
  if (plan.facts === undefined) return []
  const seen = glances ?? before?.glances
  const looked = seen === undefined ? plan.facts : { ...plan.facts, glances: seen }
  const former = withFormer(withOutcomes(looked, outcomes, now), before, leftOut)
  const facts = withHistory(former, before, effectiveConfig(stored, now).policies, now)
  if (unread.length === 0 && !isNews(before, facts)) return []
  try {
    await writeFacts(state, facts)
    return []
  } catch (cause) {
    return [`what is known of the promises could not be written; the next tick tries again: ${String(cause)}`]
  }
}
