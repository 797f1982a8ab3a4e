/**
 * The type of a kind of work: what it plans, how that is performed, what is recorded, and how it reads. Each
 * kind has a folder of its own and is listed in `kinds.ts`; other code goes over that list and knows no kind
 * by name.
 */

import type * as z from 'zod/mini'
import type { Text } from '../chat/message.ts'
import type { InstanceRef } from '../incus/subject.ts'
import type { FreezeLedger, Ledger, PolicyLedger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import type { PlanContext } from '../plan/context.ts'
import type { Finding, Found, Guards } from '../plan/finding.ts'
import type { Outcome, PlannedJob } from '../plan/jobs.ts'
import type { Line, Tally } from '../plan/line.ts'
import type { AnyAction, Note, Plan, Refusal } from '../plan/plan.ts'
import type { AllowRequest, AnyRequest, OneSnapshot } from '../plan/request.ts'
import type { World } from '../plan/world.ts'
import type { Coverage } from '../policy/cover.ts'
import type { Policy } from '../policy/policy.ts'
import type { Facts } from '../promise/facts.ts'
import type { CallError, Job, StepReport } from '../relay/protocol.ts'
import type { Step } from '../relay/steps.ts'
import { err, ok, type Result } from '../result.ts'
import type { IdealIncus } from '../simulate/ideal-incus.ts'
import type { RetryPolicy } from './life.ts'

/** How one type of action is performed, and how it reads. */
export type Verb<Action extends AnyAction> = {
  /** Key of the subject that it changes: of a copy its source, never the copy, which follows it. */
  subject(action: Action): string
  /** The actions that it stands for, each of which has its outcome, and a subject of its own. */
  parts?(action: Action): readonly AnyAction[]
  /** What a problem with it names; absent: its subject. */
  about?(action: Action): string
  /** Key of a subject whose data it hands on: who requests it has to have a grant for that one, too. */
  reads?(action: Action): string
  /** Keys of instances that it stops for a while: who requests it has to have a grant for these, too. */
  stops?(action: Action): readonly string[]
  /** The one line that stands for it. */
  line(action: Action): Line
  /** All of its lines, where there are more. */
  lines?(action: Action): Line[]
  /** Its part of the plan's digest, without what only depends on the clock; absent: its line. */
  essence?(action: Action): string
  /** What it does within the one job of its subject; absent: its kind makes jobs of their own. */
  steps?(action: Action): Step[]
  /** Goes before the others of that job: what follows depends on it. */
  first?: true
  /** Shares the lock of long work on its subject. */
  locks?(action: Action): boolean
  /** It loses state, so that the policies say who confirms it. */
  destroys?(action: Action): boolean
  /** Key of the long work that it starts. */
  begins?(action: Action): string
  /** The work, in words, for which its subject may stay frozen if it is cut off; null: it isn't frozen. */
  freezes?(action: Action): string | null
  /** How it is counted in the record of a run, and how that reads: "3 copies started". */
  counts?: Count
  /** Under which name it is listed one by one there. */
  listed?: string
  /** What it changes on servers on which everything succeeds; absent: nothing. */
  simulate?(action: Action, incus: IdealIncus, now: Date): Simulated
}

/** Whether the relay has done it; it refuses to remove too much within a day. */
export type Simulated = 'done' | 'refused'

/** `noun`: where it isn't obvious what is counted. */
export type Count = { name: string; noun?: readonly [one: string, several: string]; did: string }

type Verbs<Action extends AnyAction> = {
  [Kind in Action['kind']]: Verb<Extract<Action, { kind: Kind }>>
}

/** The parts of a plan that an answer to a request has. */
export type Answer = Pick<
  Finding,
  'actions' | 'notes' | 'slots' | 'work' | 'braked' | 'allowed' | 'sorted' | 'wake'
>

/** A request with the input of its planning. */
export type Requested<R extends AnyRequest = AnyRequest> = PlanContext & {
  request: R
  /** What is in progress. */
  found: Found
  /** What blocks the removal of snapshots now. */
  guards(): Guards
}

/** The fields of all requests in the API's body. */
export type Given = {
  policies?: readonly string[] | undefined
  instances?: readonly string[] | undefined
  snapshots?: readonly string[] | undefined
  grace?: string | undefined
  expiry?: string | undefined
  /** Incus's own. */
  schedule?: string | undefined
  pattern?: string | undefined
  stopped?: boolean | undefined
  manualExpiry?: string | undefined
  instance?: string | undefined
  snapshot?: string | undefined
  stateful?: boolean | undefined
  diskOnly?: boolean | undefined
  reuse?: boolean | undefined
  to?: string | undefined
  optimized?: boolean | undefined
  as?: string | undefined
  remote?: string | undefined
  project?: string | undefined
  pool?: string | undefined
  from?: string | undefined
  start?: boolean | undefined
  profiles?: readonly string[] | undefined
  config?: Record<string, string> | undefined
  devices?: Record<string, Record<string, string>> | undefined
  path?: string | undefined
  export?: string | undefined
  /** Also the newest whole export. */
  last?: boolean | undefined
  /** Of an encrypted export. */
  key?: string | undefined
  note?: string | undefined
}

/** Reads a request about one snapshot of one instance. */
export function oneOf(what: string, { instance, snapshot }: Given): Result<OneSnapshot, string> {
  return instance === undefined || snapshot === undefined
    ? err(`${what} needs "instance" and "snapshot"`)
    : ok({ instance, snapshot })
}

export type Requestable<R extends AnyRequest> = {
  /** It loses data, so its plan has to be confirmed. */
  destructive: boolean
  /** The default of a request that names policies or instances, but no `do`. */
  unnamed?: true
  /** Unreadable remotes are reported where the request names no instances. */
  reportsUnreadable?: true
  /** Reads the request from the API's body; an error says what is missing. */
  read(given: Given, reason: string): Result<R, string>
  plan(requested: Requested<R>): Answer | Refusal
}

type Requests<R extends AnyRequest> = { [Do in R['do']]: Requestable<Extract<R, { do: Do }>> }

/** The relay's answers to calls that only read. */
export type Answers = {
  /** By job; null: no answer, or an incomplete one. */
  of(job: string): readonly StepReport[] | null
  /** Why there is none. */
  error: CallError | null
}

/** Jobs that are ready, and outcomes of actions that aren't tried. */
export type Prepared = { jobs: PlannedJob[]; outcomes: Outcome[]; notes: Note[] }

/** `end`: ISO 8601; null: never. `postponed`: until then, and what another says is its own. */
export type SnapshotEnd = { ref: InstanceRef; snapshot: string; end: string | null; postponed?: true }

export type RunResult = {
  plan: Plan
  outcomes: readonly Outcome[]
  /** Work with an unknown outcome that may have left its subject frozen, by the subject's key. */
  frozen: Readonly<Record<string, FreezeLedger>>
  now: Date
}

/** A kind's parts of the new ledger. */
export type Recorded = {
  policies?: Record<string, PolicyLedger>
  /** Null: the entry is removed. */
  work?: Record<string, Work | null>
  frozen?: Record<string, FreezeLedger>
  wake?: string[]
}

/** The progress of one piece of long work, as it is shown. */
export type Item = {
  /** Key of the work. */
  key: string
  subject: string
  /** The ledger knows it. */
  seen: boolean
  /** Null: it hasn't ended. `unknown`: it is over, and its outcome isn't known. */
  end: 'good' | 'bad' | 'unknown' | null
  /** Failed tries so far. */
  attempts: number
  reason: string | null
  /** When it is tried again (ISO 8601). */
  retryAt: string | null
  /** Incus's own words on how far it is. */
  progress: string | null
  /** Its ledger entry; null: there is none. */
  entry: Work | null
}

/** The long work of a kind (see life.ts), and how it reads. */
export type Long<Entry extends Work> = {
  /** `copy`, `copies`: what one and several are called, and under what they stand in the API's status. */
  noun: { one: string; several: string }
  schema: z.ZodMiniType<Entry>
  /** The store that is part of its key, which earlier versions left out. */
  placed?(entry: Entry): string
  retry: RetryPolicy
  /** Its entry is removed so many days after its last change; absent: the kind itself removes it. */
  days?: number
  /** Fields that the API shows besides the common ones. */
  shown: { [Field in keyof Entry & string]?: z.ZodMiniType }
  words: {
    /** "copying main/default/web1". */
    doing(item: Item): Text
    /** A good outcome. */
    good(item: Item): Text
    /** What to do next, after a good or a bad outcome; empty: nothing. */
    after(item: Item): Text
    /** "The copy of … to …". */
    title(key: string, entry: Entry): Text
    /** A good outcome in words: "copy verified", "copies verified". */
    ended: { one: string; several: string; how: string }
    /** More about one that failed. */
    left(entry: Entry): Text
    /** "copy not verified", "copies not verified". */
    broken: { one: string; several: string }
  }
}

/** The order in which kinds plan; later stages see the findings of earlier ones. */
export const STAGES = ['in progress', 'ready', 'take', 'send', 'remove'] as const
export type Stage = (typeof STAGES)[number]

export type Scheduled = { stage: Stage; plan(context: PlanContext, found: Found): Finding }

/** What is known before a kind has looked closer. `coverages`: of some policies; it takes its time. */
export type Looking = {
  ledger: Ledger
  facts: Facts | null
  now: Date
  request?: AnyRequest | undefined
  coverages(wants: (policy: Policy) => boolean): readonly Coverage[]
}

export type Kind<
  Action extends AnyAction = AnyAction,
  R extends AnyRequest = AnyRequest,
  Entry extends Work = Work,
> = {
  name: string
  verbs: Verbs<Action>
  /** How its lines are counted in a few words, by their signs. */
  tallies?: readonly Tally[]
  /** Planning by schedule; the stage `in progress` is also planned for requests. */
  schedule?: Scheduled | readonly Scheduled[]
  /** What it blocks for requests. */
  guard?(context: PlanContext, found: Found): Finding
  requests?: Requests<R>
  /** What the brake holds back of it, planned for somebody who confirms it. */
  allow?(requested: Requested<AllowRequest>): Answer
  /** What has to be read from Incus before it can plan; mostly nothing. */
  look?: {
    jobs(context: Looking & { world: World }): Job[]
    add(world: World, answers: Answers, context: Looking): World
  }
  /** Its own jobs: what has to be read for them, and how they are prepared. */
  send?: {
    reads?(actions: readonly Action[], world: Pick<World, 'remotes'>): Job[]
    prepare(actions: readonly Action[], answers: Answers): Prepared
  }
  record?(before: Ledger, result: RunResult): Recorded
  /** For a simulation: when what exists expires by itself, as far as the settings say. Incus's listing has no dates. */
  ends?(context: PlanContext): SnapshotEnd[]
  long?: Long<Entry>
}
