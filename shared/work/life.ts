/**
 * The life cycle of long work of any kind: planned, started as a job of the relay, running, then ended with
 * success or failure; retried by its kind's policy, and given up at last. This changes its entry in the
 * ledger; a kind itself only judges the state of its work.
 */
import { classify, describe, mayRetry } from '../incus/refusal.ts'
import { familyOf, type Work, type WorkState } from '../ledger/work.ts'
import type { Finding } from '../plan/finding.ts'
import type { Outcome } from '../plan/jobs.ts'
import type { JobReport } from '../relay/protocol.ts'
import { minutesFrom } from '../schedule/moment.ts'

export type RetryPolicy = {
  /** The number of tries; null: unlimited. */
  tries: number | null
  /** The backoff in minutes, after so many failed tries. */
  minutes(failed: number): number
  /** The longest backoff in minutes. */
  longest: number
}

/** Its job runs or is queued. */
export const isLive = (report: Pick<JobReport, 'state'> | null): boolean =>
  report?.state === 'running' || report?.state === 'queued'

/** The relay's reports about a piece of work. */
export function jobsOf(workKey: string, jobs: readonly JobReport[]): JobReport[] {
  const prefix = `${familyOf(workKey)}:`
  // A volume's key may continue an instance's: `main/default/data:old`.
  return jobs.filter(({ id }) => id.startsWith(prefix) && !id.includes(':', prefix.length))
}

/** The report that counts: a running one first, then that of the noted job, then the newest if it has news. */
export function reportOn(
  workKey: string,
  entry: Work | null | undefined,
  jobs: readonly JobReport[],
): JobReport | null {
  const mine = jobsOf(workKey, jobs)
  const live = mine.find(isLive)
  if (live !== undefined) return live
  const noted = mine.find(({ id }) => id === entry?.job)
  if (noted !== undefined) return noted
  const newest = mine.reduce<JobReport | null>(
    (best, job) => (best === null || job.since > best.since ? job : best),
    null,
  )
  return entry == null || newest?.state === 'done' ? newest : null
}

/** "the copy has been running since …, 12.5MB (3MB/s)". */
export const liveText = (what: string, { state, since, progress }: JobReport): string =>
  `${what} has been ${state} since ${since}${progress === undefined ? '' : `, ${progress}`}`

/** It hasn't ended as far as known. */
export const isPending = (entry: Work | undefined): boolean =>
  entry === undefined || entry.state === 'started' || entry.state === 'running'

export const isDue = ({ retryAt }: Pick<Work, 'retryAt'>, now: Date): boolean =>
  retryAt === undefined || new Date(retryAt) <= now

/** Of work that waits for its next try. */
export const retryText = ({ retryAt, reason = '' }: Pick<Work, 'retryAt' | 'reason'>): string =>
  `next try at ${retryAt}: ${reason}`

/** Whether a try that fails now is the last one; `since`: earlier tries that don't count. */
export const isLast = (
  { attempts, retryAt }: Pick<Work, 'attempts' | 'retryAt'>,
  { tries }: RetryPolicy,
  since = 0,
): boolean => tries !== null && retryAt === undefined && attempts + 1 - since >= tries

/** It was observed running. By its operation a restarted relay can adopt it. */
export function seenRunning<Entry extends Work>(
  entry: Entry,
  { id, remote, operation }: Pick<JobReport, 'id' | 'remote' | 'operation'>,
  now: Date,
): Entry {
  const next: Entry = {
    ...entry,
    state: 'running',
    job: id,
    ...(remote === undefined ? {} : { remote }),
    ...(operation === undefined ? {} : { operation }),
  }
  const isSame = entry.state === 'running' && entry.job === id && entry.operation === next.operation
  return { ...next, at: isSame ? entry.at : now.toISOString() }
}

/** What it left is what a kill would have left. */
const CANCELLED = 'it was cancelled'

type Failure = { state: 'failed' | 'unknown'; reason: string; now: Date; permanent?: boolean; since?: number }

/**
 * Counts a failed try; the work is retried later, or given up. With unlimited tries its state shows each
 * failure, else it only fails when it is given up.
 */
export function failedTry<Entry extends Work>(
  entry: Entry,
  { state, reason, now, permanent = false, since = 0 }: Failure,
  policy: RetryPolicy,
): Entry {
  const attempts = entry.attempts + 1
  if (entry.cancelled !== undefined) return { ...entry, state: 'failed', attempts, reason: CANCELLED }
  if (permanent || isLast(entry, policy, since)) return { ...entry, state: 'failed', attempts, reason }
  const retryAt = minutesFrom(now, policy.minutes(attempts))
  return { ...entry, ...(policy.tries === null ? { state } : {}), attempts, reason, retryAt }
}

/** Its failed tries, and why the last one failed: that stands until one succeeds, also while the next one runs. */
export function failedOf(known: Work | undefined): Pick<Work, 'attempts' | 'reason'> {
  const { attempts = 0, reason } = known ?? {}
  return attempts === 0 || reason === undefined ? { attempts } : { attempts, reason }
}

/** Over: nothing more is tried. */
export function ended<Entry extends Work>(entry: Entry, state: Entry['state'], now: Date): Entry {
  const { retryAt: _, ...rest } = entry
  return { ...rest, state, at: now.toISOString() } as Entry
}

/** `running`: in progress, or not known yet; `broken`: the last try failed, and `entry` has counted it. */
type Standing<Entry extends Work> =
  | { phase: 'running'; entry: Entry; reason: string }
  | { phase: 'broken'; entry: Entry; reason: string }

/** The findings about work that is in progress or has failed. `known`: its present ledger entry. */
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
 * The entry after its job was sent: started, perhaps started, or refused by the relay. A lock that another job
 * holds is no failure: nothing was started, and the former entry stays.
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

/** The outcome of work in this state; null: it hasn't ended. */
export const ENDS: Record<WorkState, 'good' | 'bad' | 'unknown' | null> = {
  started: null,
  running: null,
  done: 'good',
  verified: 'good',
  failed: 'bad',
  unknown: 'unknown',
}
