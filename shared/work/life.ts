/**
 * The life of long work, whichever kind it is of: planned, handed to the relay as a job of its own, running, then over,
 * well or not; tried again by its kind's retry policy, and given up at its end. Here is all that its entry
 * in the ledger goes through; a kind's room only judges where its work stands.
 */
import { classify, describe, mayRetry } from '../incus/refusal.ts'
import type { Work, WorkState } from '../ledger/work.ts'
import type { Finding } from '../plan/finding.ts'
import type { Outcome } from '../plan/jobs.ts'
import type { JobReport } from '../relay/protocol.ts'
import { minutesFrom } from '../schedule/moment.ts'

export type RetryPolicy = {
  /** So many tries; null: it is wanted as long as its policy wants it. */
  tries: number | null
  /** Minutes until the next one, after so many have failed. */
  minutes(failed: number): number
  /** The most of them. */
  longest: number
}

/** Its job runs, or waits for its turn. */
export const isLive = (report: Pick<JobReport, 'state'> | null): boolean =>
  report?.state === 'running' || report?.state === 'queued'

/** No end was seen yet. */
export const isPending = (entry: Work | undefined): boolean =>
  entry === undefined || entry.state === 'started' || entry.state === 'running'

export const isDue = ({ retryAt }: Pick<Work, 'retryAt'>, now: Date): boolean =>
  retryAt === undefined || new Date(retryAt) <= now

/** Whether a try that fails now is the last one; `since`: tries that don't count any more. */
export const isLast = (
  { attempts, retryAt }: Pick<Work, 'attempts' | 'retryAt'>,
  { tries }: RetryPolicy,
  since = 0,
): boolean => tries !== null && retryAt === undefined && attempts + 1 - since >= tries

/** Seen to run. With its operation, a relay that was restarted can take it up again. */
export function seenRunning<Entry extends Work>(
  entry: Entry,
  { id, remote, operation }: Pick<JobReport, 'id' | 'remote' | 'operation'>,
  now: Date,
): Entry {
  const isSame = entry.state === 'running' && entry.job === id && entry.operation === operation
  return {
    ...entry,
    state: 'running',
    job: id,
    ...(remote === undefined ? {} : { remote }),
    ...(operation === undefined ? {} : { operation }),
    at: isSame ? entry.at : now.toISOString(),
  }
}

type Failure = { state: 'failed' | 'unknown'; reason: string; now: Date; permanent?: boolean; since?: number }

/**
 * A try that ended badly: counted, and tried again later, or given up. What is tried for ever says each failure;
 * what isn't goes on until it is given up.
 */
export function failedTry<Entry extends Work>(
  entry: Entry,
  { state, reason, now, permanent = false, since = 0 }: Failure,
  policy: RetryPolicy,
): Entry {
  const attempts = entry.attempts + 1
  if (permanent || isLast(entry, policy, since)) return { ...entry, state: 'failed', attempts, reason }
  const retryAt = minutesFrom(now, policy.minutes(attempts))
  return { ...entry, ...(policy.tries === null ? { state } : {}), attempts, reason, retryAt }
}

/** Over: nothing more is tried. */
export function ended<Entry extends Work>(entry: Entry, state: Entry['state'], now: Date): Entry {
  const { retryAt: _, ...rest } = entry
  return { ...rest, state, at: now.toISOString() } as Entry
}

/** `running`: goes on, or can't be told yet; `broken`: the last try ended badly, `entry` has counted it. */
export type Standing<Entry extends Work> =
  | { phase: 'running'; entry: Entry; reason: string }
  | { phase: 'broken'; entry: Entry; reason: string }

/**
 * What a run finds of work that isn't over well: noted, looked at again, and its subject left alone meanwhile.
 * `known`: as the ledger has it; `what`: how its lines begin.
 */
export function standingOf<Entry extends Work>(
  { key, about, known }: { key: string; about: string; known: Work | undefined },
  { phase, entry, reason }: Standing<Entry>,
  now: Date,
): Finding {
  return {
    ...(entry === known ? {} : { work: { [key]: entry } }),
    notes: [{ kind: phase === 'running' ? 'wait' : 'problem', about, reason }],
    wake: [entry.retryAt ?? minutesFrom(now, 1)],
  }
}

/**
 * After its job was sent: it began, or perhaps it did; or the relay refused it. Another job at work on the subject is
 * no failure: nothing began, and what was known of it stays.
 */
export function afterStart<Entry extends Work>(
  planned: Entry,
  before: Entry | undefined,
  outcome: Outcome,
  { now, policy, since = 0 }: { now: Date; policy: RetryPolicy; since?: number },
): Entry | null {
  if (outcome.state !== 'refused') return planned
  const { error } = outcome
  if (error.code === 'locked') return before ?? null
  const permanent = policy.tries !== null && !mayRetry(classify(error))
  return failedTry(planned, { state: 'failed', reason: describe(error), now, permanent, since }, policy)
}

/** How work of this state has ended, for those who wait for it; null: it hasn't. */
export const ENDS: Record<WorkState, 'good' | 'bad' | 'unknown' | null> = {
  started: null,
  running: null,
  done: 'good',
  verified: 'good',
  failed: 'bad',
  unknown: 'unknown',
}
