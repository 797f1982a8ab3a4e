/**
 * The ledger: what Incus can't tell. It may be a minute stale, or gone; everything in it is either
 * derived again from Incus, or only spares work. Dates are ISO 8601 in UTC.
 */
import type { Work } from './work.ts'

export type SlotOutcome = 'served' | 'skipped' | 'missed' | 'failed'

/** How one slot of a policy ended. */
export type SlotRecord = {
  slot: string
  outcome: SlotOutcome
  /** Why, in words; always there unless the slot was simply served. */
  reason?: string
  /** Instances that have the slot's snapshot. */
  served?: number
  /** Instances that don't, each with its reason. */
  failures?: { instance: string; reason: string }[]
  /** Set on a run of missed slots that is written as one: the newest of them, and how many they are. */
  through?: string
  count?: number
}

/** A failed try, and when the next one is due (absent: there is none). */
export type Attempt = {
  count: number
  reason: string
  retryAt?: string
  /** It was sent and nobody saw its end: what is listed under its name may be partial. */
  unseen?: true
  /** The name that was tried; absent: the slot's own. */
  name?: string
}

export type OpenSlot = {
  slot: string
  /** No slot of the schedule: who has no snapshot of the policy at all gets the first one. */
  first?: true
  /** By instance key, or by `remote:<name>` for a remote that could not be read. */
  attempts: Record<string, Attempt>
  /**
   * Snapshots of which we saw the creation succeed, by instance key, while the slot is open for others: however
   * a listing dates them, they aren't made again.
   */
  made?: Record<string, string>
}

export type PolicyLedger = {
  /** All slots up to here are accounted for; walking begins after it. */
  accounted: string
  /** Nothing is known of slots before this: a ledger begun anew doesn't vouch for older snapshots. */
  since?: string
  /** Schedule and zone under which that was; under others, accounting begins anew. */
  when?: string
  /** The policy was paused at the last look, so slots since then were skipped and not missed. */
  paused?: true
  /**
   * Who has no snapshot of the policy at all gets a first one, as soon as it can be looked at: `remote:<name>`
   * for all of a remote, or instance keys.
   */
  owing?: string[]
  /** The slot being served; null between slots. */
  open: OpenSlot | null
  /** Of slots that are over: `instance key/snapshot` of tries that ended unseen, and may have left a partial one. */
  partial?: string[]
  /** The newest records, newest first. */
  slots: SlotRecord[]
}

/** An instance that ran when work began that freezes it, and of which no end was seen yet. */
export type FreezeLedger = {
  /** The work, in words. */
  work: string
  /** When it began. */
  at: string
  /** Failed tries to thaw it, and why the last one failed. */
  tries?: number
  reason?: string
}

/** What the last look covered, and what of it is gone since. */
export type SightLedger = {
  /** Names of the covered instances, separated by spaces, by `remote/project`. */
  covered: Record<string, string>
  /** What was covered once and isn't listed any more, since when, by instance key; for some days. */
  gone?: Record<string, string>
  /** Problems and warnings that the last look found. */
  problems?: string[]
}

export type RunRecord = {
  at: string
  trigger: string
  /** So many of each that is counted: `taken`, `expired`, `copiesStarted`, `verified`, … */
  counts: Record<string, number>
  /** What is listed one by one, each with its reason: `thawed`. */
  listed?: Record<string, string[]>
  problems: string[]
}

export type Ledger = {
  /** Version of the configuration it was written under. */
  config: string
  /** Nothing is due before this. */
  wakeAt: string
  /** When that was noted: a clock that was ahead then has misled it. */
  written?: string
  /** When something was changed that the next tick has to look at, whatever it would have waited for. */
  woken?: string
  policies: Record<string, PolicyLedger>
  /** Long work of all kinds, by its key (see work.ts). */
  work: Record<string, Work>
  /** By instance key. */
  frozen?: Record<string, FreezeLedger>
  sight?: SightLedger
  /** Newest first. */
  runs: RunRecord[]
}

export const SLOT_RECORDS = 100
export const RUN_RECORDS = 20

export const emptyLedger = (config: string): Ledger => ({
  config,
  wakeAt: new Date(0).toISOString(),
  policies: {},
  work: {},
  runs: [],
})
