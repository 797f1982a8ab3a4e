/** What a run intends, as data; nothing here can touch the world. Every line carries its reason. */
import type { FreezeLedger, PolicyLedger, SightLedger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import type { Approval } from '../policy/policy.ts'

/** What one kind of work intends; what else it says is known to its room alone. */
export type AnyAction = { kind: string; reason: string }

/** Why nothing is done at all of what somebody asked for. */
export type Refusal = {
  code:
    | 'not-found'
    | 'ambiguous'
    | 'unverified'
    | 'driver'
    | 'stateless'
    | 'busy'
    | 'not-ours'
    | 'forbidden'
    | 'unreadable'
  /** What is wrong, and what to do. */
  reason: string
}

/** Why nothing is done to something that one might expect to be touched. */
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
  /** What is told of a slot that was served other than by its own name. */
  remark: string | null
  /** The slot may be served until then (ISO 8601). */
  until: string | null
}

export type Plan<Action extends AnyAction = AnyAction> = {
  at: string
  actions: Action[]
  notes: Note[]
  slots: SlotPlan[]
  /** What this run learned of long work before acting, by its key; null: it is forgotten. */
  work: Record<string, Work | null>
  /** Instances that may stay frozen by our work, by key, as known before acting. */
  frozen: Record<string, FreezeLedger>
  /** Moments at which something is due again, whatever the outcomes (ISO 8601). */
  wake: string[]
  /** What this look covered; absent while only a part is planned. */
  sight?: SightLedger
  /** Somebody asked for it: its slots are the moment's own and don't move the schedule's accounts. */
  requested: boolean
  /** Set: there are no actions. */
  refusal: Refusal | null
  /** Who must confirm a destructive plan: the strictest of the policies that cover what it touches. */
  approval: Approval
}
