/**
 * A kind of work: what it plans, how that is carried out, what is recorded of it, and how it reads. Each has a room
 * of its own, and `kinds.ts` lists them; all else goes over that list and knows none by name.
 */

import type * as z from 'zod/mini'
import type { Text } from '../chat/message.ts'
import type { FreezeLedger, Ledger, PolicyLedger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import type { Finding, Found, Guards } from '../plan/finding.ts'
import type { Outcome, PlannedJob } from '../plan/jobs.ts'
import type { Line, Tally } from '../plan/line.ts'
import type { AnyAction, Note, Plan, Refusal } from '../plan/plan.ts'
import type { Scene } from '../plan/question.ts'
import type { AnyRequest, OneSnapshot } from '../plan/request.ts'
import type { World } from '../plan/world.ts'
import type { CallError, Job, Step, StepReport } from '../relay/protocol.ts'
import { err, ok, type Result } from '../result.ts'
import type { RetryPolicy } from './life.ts'

/** How one sort of action is carried out, and how it reads. */
export type Verb<Action extends AnyAction> = {
  /** Key of the subject that it changes: of a copy its source, never the copy, which follows it. */
  subject(action: Action): string
  /** What a problem with it names; absent: its subject. */
  about?(action: Action): string
  /** The one line that stands for it. */
  line(action: Action): Line
  /** All of its lines, where there are more. */
  lines?(action: Action): Line[]
  /** What a confirmation is tied to, without what moves with the clock alone; absent: by its line. */
  essence?(action: Action): string
  /** What it does within the one job of its subject; absent: its kind makes jobs of their own. */
  steps?(action: Action): Step[]
  /** Goes before the others of that job: what follows depends on it. */
  first?: true
  /** Shares the lock of long work on its subject. */
  locks?(action: Action): boolean
  /** State is lost by it, so that somebody has to confirm it. */
  destroys?: true
  /** Key of the long work that it begins, the end of which later ticks see. */
  begins?(action: Action): string
  /** Our work for which its subject may stay frozen, in words, should it be cut off; null: it isn't frozen for it. */
  freezes?(action: Action): string | null
  /** As what it is counted in the record of a run, and how that reads: "3 copies started". */
  counts?: Count
  /** Under which name it is listed one by one there. */
  listed?: string
}

/** `noun`: where it isn't plain what is counted. */
export type Count = { name: string; noun?: readonly [one: string, several: string]; did: string }

export type Verbs<Action extends AnyAction> = {
  [Kind in Action['kind']]: Verb<Extract<Action, { kind: Kind }>>
}

/** What of a plan an answer has. */
export type Answer = Pick<Finding, 'actions' | 'notes' | 'slots' | 'work' | 'wake'>

/** A request, with all that is known when it is answered. */
export type Requested<R extends AnyRequest = AnyRequest> = Scene & {
  request: R
  /** What is under way anyhow. */
  found: Found
  /** What keeps snapshots just now. */
  guards(): Guards
}

/** What the API's body or a command may say, whichever request it is. */
export type Given = {
  policies?: readonly string[] | undefined
  instances?: readonly string[] | undefined
  snapshots?: readonly string[] | undefined
  instance?: string | undefined
  snapshot?: string | undefined
  stateful?: boolean | undefined
  note?: string | undefined
}

/** The snapshot that somebody names, of one instance. */
export function oneOf(what: string, { instance, snapshot }: Given): Result<OneSnapshot, string> {
  return instance === undefined || snapshot === undefined
    ? err(`${what} needs "instance" and "snapshot"`)
    : ok({ instance, snapshot })
}

export type Requestable<R extends AnyRequest> = {
  /** Data is lost by it, so somebody has to confirm its plan. */
  destructive: boolean
  /** Meant where somebody names policies or instances, and not what to do. */
  unnamed?: true
  /** Whom nobody could look at is told of where no instances are named. */
  tellsUnseen?: true
  /** The request that the API's body stands for; an error says what is missing. */
  read(given: Given, reason: string): Result<R, string>
  plan(requested: Requested<R>): Answer | Refusal
}

export type Requests<R extends AnyRequest> = { [Do in R['do']]: Requestable<Extract<R, { do: Do }>> }

/** What the relay answered to calls that only read. */
export type Answers = {
  /** By job; null: none, or half of one. */
  of(job: string): readonly StepReport[] | null
  /** Why there is none. */
  error: CallError | null
}

/** Jobs that are ready, and actions that aren't tried, with the reason. */
export type Prepared = { jobs: PlannedJob[]; outcomes: Outcome[]; notes: Note[] }

export type Happened = {
  plan: Plan
  outcomes: readonly Outcome[]
  /** Work of which no end was seen that may have left its subject frozen, by the subject's key. */
  frozen: Readonly<Record<string, FreezeLedger>>
  now: Date
}

/** What it has to say of the ledger. */
export type Recorded = {
  policies?: Record<string, PolicyLedger>
  /** Null: forgotten. */
  work?: Record<string, Work | null>
  frozen?: Record<string, FreezeLedger>
  wake?: string[]
}

/** How far one piece of long work is, as people are told. */
export type Item = {
  /** Key of the work. */
  key: string
  subject: string
  /** The ledger knows of it. */
  seen: boolean
  /** Set once it was seen to end. `unknown`: it is over, and nobody saw how. */
  end: 'good' | 'bad' | 'unknown' | null
  /** Failed tries so far. */
  attempts: number
  reason: string | null
  /** When it is tried again (ISO 8601). */
  retryAt: string | null
  /** Incus's own words on how far it is. */
  progress: string | null
  /** As the ledger has it; null: it doesn't. */
  entry: Work | null
}

/** How long work of one kind lives (see life.ts), and how it reads. */
export type Long<Entry extends Work> = {
  /** `copy`, `copies`: what one and several are called, and under what they stand in the API's status. */
  noun: { one: string; several: string }
  schema: z.ZodMiniType<Entry>
  retry: RetryPolicy
  /** Forgotten so many days after its last change; absent: its room says when. */
  days?: number
  /** What the API shows of it besides what all have in common. */
  shown: readonly (keyof Entry & string)[]
  words: {
    /** "copying main/default/web1". */
    doing(item: Item): Text
    /** What a good end came to. */
    good(item: Item): Text
    /** How to go on from there, after a good end or a bad one; empty: nothing need be said. */
    after(item: Item): Text
    /** "The copy of … to …". */
    title(key: string, entry: Entry): Text
    /** What a good end is called: "copy verified", "copies verified". */
    ended: { one: string; several: string; how: string }
    /** What more there is to say of one that failed. */
    left(entry: Entry): Text
    /** "copy not verified", "copies not verified". */
    broken: { one: string; several: string }
  }
}

/** When a kind plans: what comes later takes into account what came before. */
export const STAGES = ['in progress', 'ready', 'take', 'send', 'remove'] as const
export type Stage = (typeof STAGES)[number]

export type Kind<
  Action extends AnyAction = AnyAction,
  R extends AnyRequest = AnyRequest,
  Entry extends Work = Work,
> = {
  name: string
  verbs: Verbs<Action>
  /** How its lines are counted in a few words, by their signs. */
  tallies?: readonly Tally[]
  /** Planning by schedule; for a request, what is found `under way` counts as well. */
  schedule?: { stage: Stage; plan(scene: Scene, found: Found): Finding }
  /** What it keeps others from when somebody asks for something. */
  guard?(scene: Scene, found: Found): Finding
  requests?: Requests<R>
  /** What has to be read of Incus before it can plan; nothing, mostly. */
  look?: {
    jobs(scene: Pick<Scene, 'world' | 'ledger' | 'now' | 'request'>): Job[]
    add(world: World, answers: Answers, scene: Pick<Scene, 'ledger' | 'now' | 'request'>): World
  }
  /** Its own jobs: what has to be read for them, and what becomes of that. */
  send?: {
    reads?(actions: readonly Action[]): Job[]
    prepare(actions: readonly Action[], answers: Answers, world: Pick<World, 'remotes'>, now: Date): Prepared
  }
  record?(before: Ledger, happened: Happened): Recorded
  long?: Long<Entry>
}
