/** Observe, decide, perform, record: the one orchestrator, for cron, API and chat. */
import { COMES_AGAIN } from '../shared/ledger/beat.ts'
import { emptyLedger, type Ledger, type RunRecord } from '../shared/ledger/ledger.ts'
import { type Found, lossOf } from '../shared/ledger/parse-ledger.ts'
import type { Channel } from '../shared/notify/channel.ts'
import type { Tested } from '../shared/notify/tested.ts'
import { planAround } from '../shared/plan/around.ts'
import { decide } from '../shared/plan/decide.ts'
import type { Installation } from '../shared/plan/installation.ts'
import type { Outcome } from '../shared/plan/jobs.ts'
import type { Plan } from '../shared/plan/plan.ts'
import { type Recorded, record } from '../shared/plan/record.ts'
import { isLook } from '../shared/plan/request.ts'
import { type World, worldOf } from '../shared/plan/world.ts'
import { coverInstances, type TracedCoverage } from '../shared/policy/coverage.ts'
import { effectiveConfig, nextResume } from '../shared/policy/pause.ts'
import type { Config } from '../shared/policy/policy.ts'
import type { Facts } from '../shared/promise/facts.ts'
import { isDifferent } from '../shared/promise/glance.ts'
import type { JobReport } from '../shared/relay/protocol.ts'
import { minutesFrom } from '../shared/schedule/moment.ts'
import type { Answers, Kind, Looking } from '../shared/work/kind.ts'
import { type Action, type BackupRequest, KINDS } from '../shared/work/kinds.ts'
import type { Relay } from './incus/relay.ts'
import type { RelayFiles } from './incus/relay-files.ts'
import { glance, noteFacts } from './note-facts.ts'
import { observe } from './observe.ts'
import { foresee, perform, read } from './perform.ts'
import { findConfig, installationOf, readConfig, type StoredConfig } from './state/config.ts'
import { readFacts } from './state/facts.ts'
import { openLedger, readLedger, type State, writeLedger } from './state/ledger.ts'
import { outageProblems } from './state/unwritten.ts'
import { type Run, summarize } from './summary.ts'

export type Io = {
  /** Names the run in the logs. */
  id?: string
  relay: Relay
  /** What the relay reads of snapshots; absent: nothing. */
  files?: RelayFiles
  state: State
  /** A digest of our key to the relay, which identifies an installation of stapes. */
  keyDigest: string
  /**
   * Called at the end of every run that observed Incus. `again`: the next tick should observe soon. `lost`:
   * some of the watches could not be read.
   */
  follow?(seen: { jobs: JobReport[]; ledger: Ledger; now: Date }): Promise<{ again: boolean; lost?: boolean }>
  /** What a configuration names and can't use, as its secrets are not set. */
  secretProblems?(config: Config): string[]
  /** Sends a test message to each of these. */
  tryChannels?(channels: readonly Channel[]): Promise<Tested[]>
}

export type Trigger = {
  /** `cron` and `tick` may find nothing due and stop at once; `run` always observes. */
  kind: 'cron' | 'tick' | 'run'
  at: Date
  request?: BackupRequest
}

/** Whether a plan is performed. `record`: the relay has to log that before it begins. */
export type Approval = { go: false } | { go: true; record?: string }

/** `approve` gets the plan before it is performed. */
export async function run(
  trigger: Trigger,
  io: Io,
  approve: (plan: Plan<Action>) => Promise<Approval> = async () => ({ go: true }),
): Promise<Run> {
  if (trigger.request !== undefined && isLook(trigger.request))
    throw new Error('a look is planned and not performed')
  const opened = await openLedger(io.state)
  const idleUntil = trigger.kind === 'run' ? null : opened.idleUntil(trigger.at)
  const { stored, problems } = await findConfig(io.state)
  if (stored === null)
    return idleUntil === null ? { state: 'unconfigured', problems } : { state: 'idle', until: idleUntil }
  const { facts, lost: unread } = await readFacts(io.state, trigger.at)
  const glances = idleUntil === null ? null : await glance(stored, trigger, io.relay)
  // What was unread is looked for at once.
  const isNews = glances !== null && (unread.length > 0 || isDifferent(facts, glances))
  if (idleUntil !== null && !isNews) return { state: 'idle', until: idleUntil }
  const { ledger: noted, lost } = opened.read(trigger.at)
  const ledger = noted ?? emptyLedger(stored.version)
  const { plan, world, leftOut } = await planOf(trigger, stored, { ledger, facts }, io, false)
  // Before the request's own writes, which may be taken again.
  const unwritten = outageProblems(trigger.at)
  const approval = await approve(plan)
  if (!approval.go) return summarize(trigger.kind, { ...plan, actions: [] }, []).summary
  const after = (outcomes: readonly Outcome[], entry: RunRecord | null): Recorded =>
    keepLeftOut(
      record(ledger, { plan, outcomes, run: entry, config: stored.version, now: trigger.at }),
      ledger,
      leftOut,
    )
  const early: Promise<string[]>[] = []
  const { outcomes, notes } = await perform(plan, io.relay, world, approval.record, (soFar) => {
    // With the rest as unknown: if the platform ends this run, the next tick goes on from there.
    early.push(keep(after(soFar, summarize(trigger.kind, plan, soFar).entry).ledger, io.state))
  })
  await Promise.all(early)
  const loss = lossOf([...lost, ...unread])
  const known = [...unwritten, ...problems]
  const wrong = { problems: loss === null ? known : [loss, ...known], lost: loss !== null }
  const { summary, entry } = summarize(
    trigger.kind,
    { ...plan, notes: [...plan.notes, ...notes] },
    outcomes,
    wrong,
  )
  const recorded = after(outcomes, entry)
  const isBeside = plan.requested && isBesideAnother(outcomes)
  const news = !isBeside && (recorded.changed || early.length > 0 || noted === null || lost.length > 0)
  const unkept = news ? await keep(recorded.ledger, io.state) : []
  const shown = { stored, outcomes, before: facts, unread, glances, leftOut }
  const unnoted = await noteFacts(plan, shown, trigger.at, io.state)
  const { again, unsent } = await follow(io, { jobs: world.jobs, ledger: recorded.ledger, now: trigger.at })
  const soon = minutesFrom(trigger.at, 1)
  const unwoken =
    again && !isBeside && soon < recorded.ledger.wakeAt
      ? await keep({ ...recorded.ledger, wakeAt: soon }, io.state)
      : []
  return {
    ...summary,
    problems: [...summary.problems, ...(unkept.length > 0 ? unkept : unnoted), ...unsent, ...unwoken],
  }
}

/**
 * All of it was refused because something else is at work there, such as the same request a moment earlier. That has written its entry
 * since the ledger was read, and what was read must not replace it.
 */
const isBesideAnother = (outcomes: readonly Outcome[]): boolean =>
  outcomes.length > 0 && outcomes.every((one) => one.state === 'refused' && one.error.code === 'locked')

/** Policies for which nothing could be planned stay as they were. */
function keepLeftOut(recorded: Recorded, before: Ledger, leftOut: readonly string[]): Recorded {
  const kept = Object.entries(before.policies).filter(([name]) => leftOut.includes(name))
  if (kept.length === 0) return recorded
  const policies = Object.fromEntries([...Object.entries(recorded.ledger.policies), ...kept])
  return { ...recorded, ledger: { ...recorded.ledger, policies } }
}

/** KV refuses a second write within a second. The next tick then observes in Incus what was done. */
async function keep(ledger: Ledger, state: State): Promise<string[]> {
  try {
    await writeLedger(state, ledger)
    return []
  } catch (cause) {
    return [`the ledger could not be written; the next tick works it out again from Incus: ${String(cause)}`]
  }
}

const UNREADABLE =
  'a part of "watches" in KV could not be read and was dropped: the work continues, but its message in chat is no longer updated'

/** A failure to update messages never fails the run. */
async function follow(
  io: Io,
  seen: Parameters<NonNullable<Io['follow']>>[0],
): Promise<{ again: boolean; unsent: string[] }> {
  try {
    const { again = false, lost = false } = (await io.follow?.(seen)) ?? {}
    return { again, unsent: lost ? [UNREADABLE] : [] }
  } catch (cause) {
    return { again: false, unsent: [`messages in chat could not be updated: ${String(cause)}`] }
  }
}

/** Dry run: the same plan, not performed. `config`: plan by this configuration instead of the applied one. */
export async function planOnly(
  trigger: Trigger,
  io: Io,
  config?: StoredConfig,
): Promise<Plan<Action> | null> {
  const stored = config ?? (await readConfig(io.state))
  if (stored === null) return null
  const ledger = (await readLedger(io.state, trigger.at)).ledger ?? emptyLedger(stored.version)
  const { plan, world } = await planOf(trigger, stored, { ledger, facts: null }, io, true)
  const notes = await foresee(plan, io.relay, world)
  return { ...plan, notes: [...plan.notes, ...notes] }
}

export type Look = {
  world: World
  coverages: readonly TracedCoverage[]
  installation: Installation
} & Found

/** Only observes. */
export async function look(io: Io, now: Date): Promise<Look | null> {
  const stored = await readConfig(io.state)
  if (stored === null) return null
  const { ledger, lost } = await readLedger(io.state, now)
  const config = effectiveConfig(stored, now)
  const seen = worldOf(await observe(config, ledger ?? emptyLedger(stored.version), io.relay))
  const { world, planned } = planAround({ world: seen, config }, (input) =>
    coverInstances(input.config, input.world.remotes),
  )
  const installation = installationOf(stored, io.keyDigest)
  return { world, coverages: planned, installation, ledger, lost }
}

async function planOf(
  { kind, at: now, request }: Trigger,
  stored: StoredConfig,
  { ledger, facts }: { ledger: Ledger; facts: Facts | null },
  io: Io,
  explain: boolean,
): Promise<{ plan: Plan<Action>; world: World; leftOut: readonly string[] }> {
  const config = effectiveConfig(stored, now)
  const seen = worldOf(await observe(config, ledger, io.relay, COMES_AGAIN[kind]))
  let covered: readonly TracedCoverage[] | undefined
  const coverages: Looking['coverages'] = (wants) => {
    if (!config.policies.some(wants)) return []
    covered ??= coverInstances(config, seen.remotes)
    return covered.filter(({ policy }) => wants(policy))
  }
  const closer = await lookCloser({ world: seen, ledger, facts, now, request, coverages }, io.relay)
  const { planned, world, notes, leftOut } = planAround({ world: closer, config }, (input) =>
    decide({
      coverages: coverInstances(input.config, input.world.remotes),
      world: input.world,
      ledger,
      facts,
      now,
      applied: stored.appliedAt,
      installation: installationOf(stored, io.keyDigest),
      request,
      explain,
    }),
  )
  const resume = nextResume(stored, now)
  const wake = resume === null ? planned.wake : [...planned.wake, resume]
  return { plan: { ...planned, notes: [...notes, ...planned.notes], wake }, world, leftOut }
}

/** Reads what some kinds of work need besides the inventory: one more call, only if needed. */
async function lookCloser(context: Parameters<Looker['jobs']>[0], relay: Relay): Promise<World> {
  const lookers = KINDS.flatMap(({ look: looker }) => looker ?? [])
  const jobs = lookers.flatMap((looker) =>
    tried(
      () => looker.jobs(context),
      () => [],
    ),
  )
  if (jobs.length === 0) return context.world
  const answers = await read(jobs, relay)
  return lookers.reduce(
    // An answer that can't be understood is none.
    (world, { add }) =>
      tried(
        () => add(world, answers, context),
        () => add(world, NO_ANSWER, context),
      ),
    context.world,
  )
}

const NO_ANSWER: Answers = { of: () => null, error: null }

function tried<T>(attempt: () => T, otherwise: () => T): T {
  try {
    return attempt()
  } catch {
    return otherwise()
  }
}

type Looker = NonNullable<Kind['look']>
