/** Observe, decide, perform, record: the one orchestrator, behind every door. */
import { emptyLedger, type Ledger } from '../shared/ledger/ledger.ts'
import { type Ask, narrow } from '../shared/plan/ask.ts'
import { decide } from '../shared/plan/decide.ts'
import type { Plan } from '../shared/plan/plan.ts'
import { record } from '../shared/plan/record.ts'
import { type World, worldOf } from '../shared/plan/world.ts'
import { coverInstances, type TracedCoverage } from '../shared/policy/coverage.ts'
import type { Relay } from './incus/relay.ts'
import { observe } from './observe.ts'
import { perform } from './perform.ts'
import { readConfig, type StoredConfig } from './state/config.ts'
import { readLedger, type State, writeLedger } from './state/ledger.ts'
import { type Run, summarize } from './summary.ts'

export type Io = { relay: Relay; state: State }

export type Trigger = {
  /** `cron` and `tick` may find nothing due and stop at once; `run` looks whatever the notebook says. */
  kind: 'cron' | 'tick' | 'run'
  at: Date
  ask?: Ask
}

export type UnknownPolicies = { unknown: string[]; known: string[] }

export async function run(trigger: Trigger, io: Io): Promise<Run | UnknownPolicies> {
  const noted = await readLedger(io.state)
  const patient = trigger.kind !== 'run'
  if (patient && noted !== null && noted.wakeAt > trigger.at.toISOString())
    return { state: 'idle', until: noted.wakeAt }
  const stored = await readConfig(io.state)
  if (stored === null) return { state: 'unconfigured' }
  const ledger = noted ?? emptyLedger(stored.version)
  const ask = askOf(trigger, stored)
  if (ask !== undefined && 'unknown' in ask) return ask
  const plan = await planOf(trigger.at, stored, ledger, ask, io, false)
  const outcomes = await perform(plan, io.relay, trigger.at)
  const { summary, entry } = summarize(trigger.kind, plan, outcomes)
  const recorded = record(ledger, { plan, outcomes, run: entry, config: stored.version, now: trigger.at })
  const unwritten = recorded.changed || noted === null ? await keep(recorded.ledger, io.state) : []
  return { ...summary, problems: [...summary.problems, ...unwritten] }
}

/** KV refuses a second write within a second. What was done stands in Incus, and the next tick sees it there. */
async function keep(ledger: Ledger, state: State): Promise<string[]> {
  try {
    await writeLedger(state, ledger)
    return []
  } catch (cause) {
    return [`the notebook could not be written, the next tick makes up for it: ${String(cause)}`]
  }
}

/** The dry run: the same plan, and there it stops. */
export async function planOnly(trigger: Trigger, io: Io): Promise<Plan | UnknownPolicies | null> {
  const stored = await readConfig(io.state)
  if (stored === null) return null
  const ask = askOf(trigger, stored)
  if (ask !== undefined && 'unknown' in ask) return ask
  const ledger = (await readLedger(io.state)) ?? emptyLedger(stored.version)
  return planOf(trigger.at, stored, ledger, ask, io, true)
}

export type Look = { world: World; coverages: readonly TracedCoverage[]; ledger: Ledger | null }

/** Observing alone. */
export async function look(io: Io): Promise<Look | null> {
  const stored = await readConfig(io.state)
  if (stored === null) return null
  const ledger = await readLedger(io.state)
  const world = worldOf(await observe(stored.config, ledger ?? emptyLedger(stored.version), io.relay))
  return { world, coverages: coverInstances(stored.config, world.remotes), ledger }
}

function askOf({ ask }: Trigger, { config }: StoredConfig): Ask | UnknownPolicies | undefined {
  if (ask === undefined) return undefined
  const known = config.policies.map(({ name }) => name)
  const unknown = ('policies' in ask ? (ask.policies ?? []) : []).filter((name) => !known.includes(name))
  return unknown.length > 0 ? { unknown, known } : ask
}

async function planOf(
  now: Date,
  { config }: StoredConfig,
  ledger: Ledger,
  ask: Ask | undefined,
  io: Io,
  explain: boolean,
): Promise<Plan> {
  const world = worldOf(await observe(config, ledger, io.relay))
  const coverages = narrow(coverInstances(config, world.remotes), ask)
  return decide({ coverages, world, ledger, now, ask, explain })
}
