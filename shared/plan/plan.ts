/** What a run intends to do, as data. Every line has its reason. */
import type { FreezeLedger, OwnLedger, PolicyLedger, SightLedger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import type { Approval } from '../policy/policy.ts'
import type { Facts } from '../promise/facts.ts'

/** One action of a kind of work; only that kind knows its other fields. */
export type AnyAction = { kind: string; reason: string }

/** Why a request is refused as a whole. */
export type Refusal = {
  code:
    | 'not-found'
    | 'ambiguous'
    | 'exists'
    | 'unverified'
    | 'driver'
    | 'stateless'
    | 'disk-only'
    | 'busy'
    | 'not-ours'
    | 'forbidden'
    | 'unreadable'
  /** What is wrong, and what to do. */
  reason: string
}

/** Why nothing is done to something. */
export type Note = {
  kind: 'keep' | 'skip' | 'wait' | 'foreign' | 'problem'
  /** A subject's key, or what else it is about. */
  about: string
  snapshot?: string
  reason: string
}

/** One policy's slot in this run. */
export type SlotPlan = {
  policy: string
  /** Accounting as it stands before this run's outcomes. */
  ledger: PolicyLedger
  /** Instances that already have the open slot's snapshot. */
  served: string[]
  /** Instances that are waited for (jitter, a retry, a running create), with the moment to look again. */
  waiting: { instance: string; until: string }[]
  /** Instances for which no further try is made. */
  failed: { instance: string; reason: string }[]
  /** Why the slot ends without any instance. */
  empty: string | null
  /** The reason recorded of a slot whose snapshots have other names than its own. */
  remark: string | null
  /** The slot may be served until then (ISO 8601). */
  until: string | null
}

/** `going`: names of exports that are to be removed, with spaces between them. `strays`: what is no export, in words. `next`: when to look again (ISO 8601); null: after the next export. */
export type Sorted = { at: string; going: string; strays: string; next: string | null; tries: number }

export type Plan<Action extends AnyAction = AnyAction> = {
  at: string
  actions: Action[]
  notes: Note[]
  slots: SlotPlan[]
  /** New state of long work before the actions, by its key; null: the entry is removed. */
  work: Record<string, Work | null>
  /** Instances that may stay frozen by our work, by key, as known before acting. */
  frozen: Record<string, FreezeLedger>
  /** What the brake holds back after this run, with the reasons (see brake.ts). */
  braked: Readonly<Record<string, string>>
  /** Since when an expiry waits for something else. */
  stalled: Readonly<Record<string, string>>
  /** Names that somebody allowed to go, by the key of their expiry: the relay may take them on another day. */
  allowed: Readonly<Record<string, string>>
  /** What looks into stores have shown, see finding.ts; absent: none. */
  sorted?: Readonly<Record<string, Sorted>>
  /** Moments at which something is due again, whatever the outcomes (ISO 8601). */
  wake: string[]
  /** What this look covered; absent while only a part is planned. */
  sight?: SightLedger
  /** What it has shown of Incus's own slots, by remote; likewise. */
  incus?: Record<string, OwnLedger>
  /** What this look has shown of each promise; likewise. */
  facts?: Facts
  /** By request, not by schedule: its slots are of this minute and don't count as the schedule's. */
  requested: boolean
  /** Set: there are no actions. */
  refusal: Refusal | null
  /** Who must confirm a destructive plan: the strictest of the policies that cover what it touches. */
  approval: Approval
}
