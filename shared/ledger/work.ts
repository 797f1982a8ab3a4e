/** Long work in the ledger: one entry by key, from its start until some time after its end. */
import * as z from 'zod/mini'
import { count, moment } from './parts.ts'

/**
 * - `started`: its job was handed to the relay, or is about to be;
 * - `running`: it was observed running, or is between two tries;
 * - `done`, `verified`: over and good; the second where the kind verifies;
 * - `failed`: the last try ended badly; with `retryAt` it is tried again, without it is given up;
 * - `unknown`: the last try is over, and its outcome isn't known.
 */
export const WORK_STATES = ['started', 'running', 'done', 'verified', 'failed', 'unknown'] as const
export type WorkState = (typeof WORK_STATES)[number]

/** What all kinds have in common; each adds what is its own. */
export type Work = {
  state: WorkState
  /** Id of the relay's job. */
  job?: string
  /** Where its operation runs, to let a restarted relay take it up again. */
  remote?: string
  operation?: string
  /** Travels with the relay's job. */
  memo?: unknown
  /** Failed tries since the last success. */
  attempts: number
  reason?: string
  retryAt?: string
  /** Somebody cancelled it then (ISO 8601): it isn't tried again by itself. */
  cancelled?: string
  /** Last change of state. */
  at: string
}

const may = z.exactOptional

/** Of `Work`, for the schemas of the kinds. */
export const workShape = {
  state: z.enum(WORK_STATES),
  job: may(z.string()),
  remote: may(z.string()),
  operation: may(z.string()),
  attempts: count,
  reason: may(z.string()),
  retryAt: may(moment),
  cancelled: may(moment),
  at: moment,
}

/**
 * `copy main/default/web1>backup/default/web1`, `export main/default/web1>nas`, `restore main/default/web1`: the kind, and what it
 * works on.
 */
export const workKey = (kind: string, key: string): string => `${kind} ${key}`

export const kindIn = (workKey: string): string => workKey.slice(0, workKey.indexOf(' '))
export const keyIn = (workKey: string): string => workKey.slice(workKey.indexOf(' ') + 1)

/** Key of the subject that it works on: of `source key>destination key` the source. */
export function subjectIn(workKey: string): string {
  const key = keyIn(workKey)
  const at = key.indexOf('>')
  return at < 0 ? key : key.slice(0, at)
}

/** An export works on an instance of its own, a check and a removal on a file, so their subject isn't held up by them. */
export const standsApart = (workKey: string): boolean =>
  ['export', 'check', 'removal'].includes(kindIn(workKey))

/** Key of an instance or volume in a store: its exports there are work of its own. */
export const placeOf = (key: string, store: string): string => `${key}>${store}`

/** Key of the target, or name of the store; empty for work without one. */
export function targetIn(workKey: string): string {
  const at = workKey.indexOf('>')
  return at < 0 ? '' : workKey.slice(at + 1)
}

/**
 * What the relay's jobs of one piece of work have in common. Those of copies are called by their replica
 * alone, as the first versions called them: a relay may have one in progress while the Worker is replaced.
 */
export const familyOf = (workKey: string): string => (kindIn(workKey) === 'copy' ? keyIn(workKey) : workKey)

/** The long work that a job is for, by the job's id; null: it is for none. */
export function workOfJob(id: string): string | null {
  const family = /^(.+):[^:]*$/.exec(id)?.[1] ?? ''
  if (/^[^ ]+>[^>]+$/.test(family)) return workKey('copy', family)
  return /^[a-z]+ \S/.test(family) ? family : null
}
