/**
 * The ledger: what can't be read from Incus. It may be a minute stale, or lost. Everything in it can be derived
 * again from Incus, or only saves work. Dates are ISO 8601 in UTC.
 */
import type { Work } from './work.ts'

export type SlotOutcome = 'served' | 'skipped' | 'missed' | 'failed'

/** How one slot of a policy ended. */
export type SlotRecord = {
  slot: string
  outcome: SlotOutcome
  /** Why, in words; absent only where the slot was served as usual. */
  reason?: string
  /** Instances that have the slot's snapshot. */
  served?: number
  /** Instances that don't, each with its reason. */
  failures?: { instance: string; reason: string }[]
  /** Seconds that instances stood still so that they and their volumes were taken as one, by key. */
  paused?: Record<string, number>
  /** Set on a record of several missed slots: the newest of them, and how many they are. */
  through?: string
  count?: number
}

/** A failed try, and when the next one is due (absent: there is none). */
export type Attempt = {
  count: number
  reason: string
  retryAt?: string
  /** It was sent and its outcome is unknown: what is listed under its name may be partial. */
  unseen?: true
  /** The name that was tried; absent: the slot's own. */
  name?: string
}

export type OpenSlot = {
  slot: string
  /** No slot of the schedule: instances without any snapshot of the policy get their first one. */
  first?: true
  /** By instance key, or by `remote:<name>` for a remote that could not be read. */
  attempts: Record<string, Attempt>
  /**
   * Snapshots whose creation succeeded, by instance key, while the slot is open for others. They aren't made
   * again, whatever date a listing shows.
   */
  made?: Record<string, string>
  /** What the relay has said of what it took, in words. */
  remarks?: string[]
  /** As in a slot's record. */
  paused?: Record<string, number>
}

export type PolicyLedger = {
  /** All slots up to here are accounted for; the next one is looked for after it. */
  accounted: string
  /** Nothing is known of slots before this: a new ledger doesn't know how older snapshots were made. */
  since?: string
  /** Schedule and zone at that time; with others, accounting starts again. */
  when?: string
  /** The policy was paused at the last look, so slots since then were skipped and not missed. */
  paused?: true
  /**
   * Instances without any snapshot of the policy, which get their first one as soon as they can be observed:
   * `remote:<name>` for all of a remote, or instance keys.
   */
  owing?: string[]
  /** The slot being served; null between slots. */
  open: OpenSlot | null
  /** Of slots that are over: `instance key/snapshot` of tries with an unknown outcome, which may be partial. */
  partial?: string[]
  /** The newest records, newest first. */
  slots: SlotRecord[]
}

/** An instance that may be frozen: it ran when work began that freezes it, and the outcome isn't known yet. */
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
  /** What the roles of remotes in the relay's configuration keep policies from doing; absent: nobody looked yet. */
  roles?: string[]
  /** What the last look found that keeps something from being backed up. */
  problems?: string[]
  /** What else it found. */
  warnings?: string[]
  /** What the brake holds back (see plan/brake.ts), each with the reason. */
  braked?: Record<string, string>
  /** Since when retention could not remove anything, though it wants to; by the same keys as an expiry. */
  stalled?: Record<string, string>
  /** Names that somebody allowed to go, separated by spaces, while some are still there; by the same keys. */
  allowed?: Record<string, string>
}

/** Incus's own scheduler on a remote, see shared/own-schedule/. Its times are the server's. */
export type OwnLedger = {
  /** Its slots up to here are accounted for. */
  upTo: string
  /**
   * By instance key: its schedule, since when that was seen, and what of it Incus never follows or can't be read.
   * `upTo`: where its snapshots couldn't be listed since. `missed`: its newest slot, if that wasn't served.
   */
  subjects: Record<
    string,
    { schedule: string; since: string; upTo?: string; missed?: string; dead?: string[] }
  >
  /** Minutes that the server's wall clock is ahead of UTC, where that was seen. */
  zone?: number
  /** Newest first; an instance is served or not, as with a policy. */
  slots: SlotRecord[]
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
  /** When that was noted, to detect a clock that was ahead. */
  written?: string
  /** Instead of `written`, if that was in the future: a clock was ahead then, or is behind now. Never stored. */
  ahead?: string
  /** When something was changed that the next tick has to observe, whatever `wakeAt` says. */
  woken?: string
  policies: Record<string, PolicyLedger>
  /** Long work of all kinds, by its key (see work.ts). */
  work: Record<string, Work>
  /** By instance key. */
  frozen?: Record<string, FreezeLedger>
  sight?: SightLedger
  /** By remote. */
  incus?: Record<string, OwnLedger>
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
