/** The ledger after a run: the old one, what the plan learned, and what came of its actions. */

import { classify, hasUnknownOutcome } from '../incus/refusal.ts'
import { HEARTBEAT, LONGEST_SLEEP } from '../ledger/beat.ts'
import { type FreezeLedger, type Ledger, RUN_RECORDS, type RunRecord } from '../ledger/ledger.ts'
import { isUnserved } from '../ledger/slots.ts'
import type { Work } from '../ledger/work.ts'
import { merged } from '../own.ts'
import type { Recorded as RecordedKind } from '../work/kind.ts'
import { KINDS } from '../work/kinds.ts'
import { longOf, verbOf } from '../work/verbs.ts'
import type { Outcome } from './jobs.ts'
import type { Plan } from './plan.ts'

export type Recorded = {
  ledger: Ledger
  /** Whether it has to be written: more than the time has changed. */
  changed: boolean
}

type PlanResult = {
  plan: Plan
  outcomes: readonly Outcome[]
  run: RunRecord | null
  config: string
  now: Date
}

export function record(before: Ledger, result: PlanResult): Recorded {
  const ledger = ledgerAfter(before, result)
  return { ledger, changed: isNews(before, ledger, result.now) }
}

/** `longest`: with nothing due, the next look comes after so many milliseconds. */
export function ledgerAfter(
  before: Ledger,
  { plan, outcomes, run, config, now }: PlanResult,
  longest = LONGEST_SLEEP,
): Ledger {
  const begun = frozenBy(outcomes, now)
  const parts = KINDS.map(({ record: of }) => of?.(before, { plan, outcomes, frozen: begun, now }) ?? {})
  const frozen = merged(...parts.map((part) => part.frozen))
  const runs = run === null ? before.runs : [run, ...before.runs].slice(0, RUN_RECORDS)
  const sleep = new Date(now.getTime() + longest).toISOString()
  const wake = [
    ...plan.wake,
    ...(plan.requested ? [before.wakeAt] : []),
    ...parts.flatMap((part) => part.wake ?? []),
  ]
  return {
    config,
    wakeAt: [sleep, ...wake].sort()[0] ?? sleep,
    written: now.toISOString(),
    policies: merged(...parts.map((part) => part.policies)),
    work: workAfter(before, plan, parts, now),
    ...(Object.keys(frozen).length === 0 ? {} : { frozen }),
    ...(plan.sight === undefined ? {} : { sight: plan.sight }),
    ...ownAfter(before, plan),
    runs,
  }
}

/** While nothing was looked at, what was known before. */
const ownAfter = (before: Ledger, { incus = before.incus ?? {} }: Plan): Pick<Ledger, 'incus'> =>
  Object.keys(incus).length === 0 ? {} : { incus }

const DAY = 86_400_000

/** Of what only a later version knows. */
const UNKNOWN_DAYS = 30

function daysOf(key: string): number {
  const long = longOf(key)
  return long === undefined ? UNKNOWN_DAYS : (long.days ?? Number.POSITIVE_INFINITY)
}

/** Old entries are removed after a time; those that their kind or a request removes go at once. */
function workAfter(
  { work }: Ledger,
  plan: Plan,
  parts: readonly RecordedKind[],
  now: Date,
): Record<string, Work> {
  const isOld = (key: string, { at }: Work): boolean =>
    now.getTime() - new Date(at).getTime() >= daysOf(key) * DAY
  const kept = Object.fromEntries(Object.entries(work).filter(([key, entry]) => !isOld(key, entry)))
  const all: Record<string, Work | null> = merged<Work | null>(
    kept,
    plan.work,
    ...parts.map((part) => part.work),
  )
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, Work] => entry[1] !== null))
}

/** Work that may have been cut off while its subject was frozen for it, by the subject's key. */
function frozenBy(outcomes: readonly Outcome[], now: Date): Record<string, FreezeLedger> {
  const entries = outcomes.flatMap((outcome): [string, FreezeLedger][] => {
    const { action } = outcome
    const { freezes, begins, subject } = verbOf(action)
    const work = freezes?.(action) ?? null
    // Long work goes on. For other work, Incus has thawed the instance before it answered.
    const may = begins === undefined ? isOutcomeUnknown(outcome) : outcome.state !== 'refused'
    return work === null || !may ? [] : [[subject(action), { work, at: now.toISOString() }]]
  })
  return Object.fromEntries(entries)
}

const isOutcomeUnknown = (outcome: Outcome): boolean =>
  outcome.state === 'unknown' ||
  (outcome.state === 'refused' && (classify(outcome.error) === 'unknown' || hasUnknownOutcome(outcome.error)))

/** A later `wakeAt` alone isn't written while the old one is past anyway; the heartbeat is. */
function isNews(before: Ledger, after: Ledger, now: Date): boolean {
  if (before.written === undefined || now.getTime() - Date.parse(before.written) >= HEARTBEAT) return true
  const soon = new Date(now.getTime() + 90_000).toISOString()
  const staysAwake = before.wakeAt <= now.toISOString() && after.wakeAt <= soon
  if (!staysAwake && before.wakeAt !== after.wakeAt) return true
  return timeless(before) !== timeless(after)
}

/** Of Incus's own slots those that were missed: the others are seen again, and KV takes a thousand writes a day. */
const timeless = ({ wakeAt: _, written: __, incus = {}, ...ledger }: Ledger): string =>
  JSON.stringify({
    ...ledger,
    incus: Object.entries(incus).map(([remote, { subjects, zone, slots }]) => [
      ...[remote, zone, slots.filter(isUnserved)],
      Object.entries(subjects).map(([key, { schedule, since, missed }]) => [key, schedule, since, missed]),
    ]),
  })
