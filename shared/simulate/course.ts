/**
 * What would come of a configuration: the real decision over virtual time, from moment to moment at which something
 * is due, on servers on which everything succeeds. Nothing is performed.
 */
import type { InstanceRecord } from '../incus/inventory.ts'
import { subjectKey } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { HELD_BACK } from '../plan/brake-expiry.ts'
import { decide } from '../plan/decide.ts'
import type { Installation } from '../plan/installation.ts'
import type { Outcome } from '../plan/jobs.ts'
import type { AnyAction, Plan } from '../plan/plan.ts'
import { ledgerAfter } from '../plan/record.ts'
import { type World, worldOf } from '../plan/world.ts'
import { coverInstances } from '../policy/coverage.ts'
import { effectiveConfig, nextResume } from '../policy/pause.ts'
import type { Config } from '../policy/policy.ts'
import type { StoredConfig } from '../policy/stored.ts'
import type { InventoryReply } from '../relay/protocol.ts'
import { createSorter } from '../retention/sorter.ts'
import type { SnapshotEnd } from '../work/kind.ts'
import { KINDS } from '../work/kinds.ts'
import { verbOf } from '../work/verbs.ts'
import { createIdealIncus, type IdealIncus } from './ideal-incus.ts'

export type Beginning = {
  stored: StoredConfig
  /** By which the snapshots were taken that exist: what is applied, else the same. */
  before: Config
  ledger: Ledger
  observed: InventoryReply
  installation: Installation
  now: Date
}

/** What the brake holds back for the first time. */
type Braked = { at: Date; reason: string; snapshots: string[] }

export type Course = {
  incus: IdealIncus
  /** By the key of what is held. */
  braked: ReadonlyMap<string, Braked>
  /** Everything up to then is simulated. */
  until(): Date
  /** Goes on to that moment, or until so much was computed (see `costOf`); how much it was. */
  advance(to: Date, effort: number): number
}

export function beginCourse(beginning: Beginning): Course {
  const { stored, installation, now: start } = beginning
  const incus = createIdealIncus(beginning.observed, start)
  setEnds(beginning, incus)
  const braked = new Map<string, Braked>()
  let ledger: Ledger = {
    ...beginning.ledger,
    sight: { covered: {}, ...withoutNames(beginning.ledger.sight) },
  }
  let now = start
  /** Of the decision that comes next. */
  let due = start
  /** How much it took. */
  const decideAt = (at: Date): number => {
    incus.advance(at)
    const world = worldOf(incus.observe())
    const coverages = coverInstances(effectiveConfig(stored, at), world.remotes)
    const plan = decide({ coverages, world, ledger, now: at, applied: stored.appliedAt, installation })
    for (const [key, reason] of Object.entries(plan.braked))
      if (!braked.has(key)) braked.set(key, { at, reason, snapshots: heldBack(plan, key) })
    const outcomes = plan.actions.map((action) => outcomeOf(action, incus, at))
    const result = { plan, outcomes, run: null, config: stored.version, now: at }
    ledger = ledgerAfter(ledger, result, LONGEST_SLEEP)
    due = nextMinute(at, [ledger.wakeAt, nextResume(stored, at)])
    return costOf(world)
  }
  return {
    incus,
    braked,
    until: () => now,
    advance(to, effort) {
      let taken = 0
      while (due <= to && taken < effort) {
        now = due
        taken += decideAt(due)
      }
      if (due > to && to > now) {
        now = to
        incus.advance(to)
      }
      return taken
    },
  }
}

/** What a decision costs besides its instances, and how many snapshots cost as much as an instance. */
const EACH = 10
const SNAPSHOTS = 50

/** Of one decision: about a thirtieth of a millisecond each. */
const costOf = ({ remotes }: Pick<World, 'remotes'>): number =>
  Object.values(remotes).reduce(
    (sum, answer) =>
      answer.ok ? answer.inventory.instances.reduce((all, one) => all + weightOf(one), sum) : sum,
    EACH,
  )

const weightOf = ({ snapshots }: InstanceRecord): number => 1 + (snapshots?.length ?? 0) / SNAPSHOTS

/** A part of the instances is no sign that others are gone. */
const withoutNames = (sight: Ledger['sight']): Ledger['sight'] =>
  sight === undefined ? undefined : { ...sight, covered: {} }

function outcomeOf(action: AnyAction, incus: IdealIncus, at: Date): Outcome {
  return verbOf(action).simulate?.(action, incus, at) === 'refused'
    ? { action, state: 'refused', error: { code: 'not-allowed', message: 'too many within a day' } }
    : { action, state: 'done' }
}

/** Names that are kept only because the brake holds them. */
const heldBack = ({ notes }: Plan, key: string): string[] =>
  notes.flatMap(({ about, snapshot, reason }) =>
    snapshot !== undefined && key.endsWith(` ${about}`) && reason.endsWith(HELD_BACK) ? [snapshot] : [],
  )

const MINUTE = 60_000
/** Nothing happens here but by the simulation, so it need not look as often as ticks do. */
const LONGEST_SLEEP = 24 * 60 * MINUTE

/** Ticks come once a minute. */
function nextMinute(at: Date, moments: readonly (string | null)[]): Date {
  const least = (Math.floor(at.getTime() / MINUTE) + 1) * MINUTE
  const wanted = moments.flatMap((moment) => (moment === null ? [] : [Date.parse(moment)]))
  return new Date(Math.max(least, Math.ceil(Math.min(...wanted) / MINUTE) * MINUTE))
}

/** When what exists expires, by the settings that it was made under. */
function setEnds({ before, observed, ledger, installation, now }: Beginning, incus: IdealIncus): void {
  const world = worldOf(observed)
  const coverages = coverInstances(before, world.remotes)
  const context = { coverages, world, ledger, installation, now, sorter: createSorter(now) }
  const ends = KINDS.flatMap((kind) => kind.ends?.(context) ?? [])
  const keyOf = ({ ref, snapshot }: SnapshotEnd): string => `${subjectKey(ref)}/${snapshot}`
  const postponed = ends.filter((one) => one.postponed === true)
  const keys = new Set(postponed.map(keyOf))
  for (const one of ends.filter((end) => end.postponed !== true)) {
    // What is there past its end has another, unless that is postponed.
    const isPast = one.end !== null && Date.parse(one.end) <= now.getTime()
    if (!isPast || keys.has(keyOf(one))) incus.end(one.ref, one.snapshot, one.end)
  }
  for (const { ref, snapshot, end } of postponed) if (end !== null) incus.postpone(ref, snapshot, end)
}
