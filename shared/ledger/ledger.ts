/**
 * The ledger: what Incus can't tell. It may be a minute stale, or gone; everything in it is either
 * derived again from Incus, or only spares work. Dates are ISO 8601 in UTC.
 */
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
  doubtful?: string[]
  /** The newest records, newest first. */
  slots: SlotRecord[]
}

/** One replica: a source instance on one destination. */
export type CopyLedger = {
  state: 'started' | 'running' | 'verified' | 'failed' | 'unknown'
  /** Id of the relay's job. */
  job?: string
  /** Where the operation runs, to let a restarted relay take it up again. */
  remote?: string
  operation?: string
  memo?: CopyMemo
  /** Failed tries since the last success. */
  attempts: number
  reason?: string
  retryAt?: string
  /** The newest snapshot verified on both sides: kept on the source even while the target can't be asked. */
  newest?: string
  /** All that was verified on the target, in the form of its mark (see plan/marks.ts): the mark may get lost. */
  verified?: string
  /** Seconds that the last transfer took which came to its end. */
  took?: number
  /** That newest snapshot's own expiry on the source, put off while the copy lags behind. */
  putOff?: { snapshot: string; own: string; until: string }
  /** Last change of state. */
  at: string
}

/** Travels with the relay's job, so that a success can be judged even when the ledger was lost. */
export type CopyMemo = {
  /** Only pairs created on the source up to here (seconds since the epoch) are vouched for. */
  through: number
  /** Source snapshots whose expiry was put off for the copy: name to its own expires_at. */
  extended: Record<string, string>
  /** Not vouched for either: they were on the target before, and could not be removed. */
  stale?: string[]
  /** The source ran when it began, and is frozen for it. */
  freezes?: true
}

/** One instance's last restore in place. */
export type RestoreLedger = {
  /** `failed`: given up, a person has to look. Ended ones are kept for a day, for those who ask. */
  state: 'started' | 'running' | 'done' | 'failed'
  snapshot: string
  safety: string
  /** The safety snapshot is known to be whole. */
  whole?: true
  /** Whether the instance has to run afterwards. */
  running: boolean
  /** With the memory that the snapshot holds. */
  stateful?: true
  /** Marks to set again, by key: holds, and which safety snapshots are whole. */
  holds: Record<string, string>
  /** Incus's own expiry of the snapshot; absent: none, or not known. */
  expiresAt?: string
  /** Id of the relay's job. */
  job: string
  /** Failed tries so far. */
  attempts: number
  /** Of these, the ones before only the marks were left to set: they have tries of their own. */
  marking?: number
  /** A try may have changed its data: how it ended doesn't tell that it hasn't. */
  touched?: true
  /** Incus refused it before it changed anything: only the mark goes, and what ran runs again. */
  refused?: true
  /** Tries to start the instance again. */
  starts?: number
  reason?: string
  retryAt?: string
  /** Last change of state. */
  at: string
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
  /** What isn't as somebody meant it, as the last look found it. */
  told?: string[]
}

export type RunRecord = {
  at: string
  trigger: string
  taken: number
  expired: number
  copiesStarted: number
  verified: number
  problems: string[]
  /** Instances that were thawed, each with the reason. */
  thawed?: string[]
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
  /** By `source key>destination key`. */
  copies: Record<string, CopyLedger>
  /** By instance key. */
  restores?: Record<string, RestoreLedger>
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
  copies: {},
  runs: [],
})
