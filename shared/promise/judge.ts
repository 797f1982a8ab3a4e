/** How each promise stands at a moment, by the facts; the ledger says why one is broken. */
import { instanceOf, remoteOf, subjectKey } from '../incus/subject.ts'
import type { Attempt, Ledger, SlotRecord } from '../ledger/ledger.ts'
import { workKey } from '../ledger/work.ts'
import { own } from '../own.ts'
import { targetOf } from '../policy/places.ts'
import type { Policy } from '../policy/policy.ts'
import { COPY } from '../work/copy/entry.ts'
import { ENDS } from '../work/life.ts'
import {
  atPlace,
  type Fact,
  type Facts,
  lookedAgainBy,
  newestIn,
  parsePair,
  type Terms,
  vanishedAt,
} from './facts.ts'
import { keptShare } from './history.ts'
import { formerOf, isOnlyOwed, isPromised, untilOf, withOwed } from './owed.ts'
import { PROMISES, type PromiseKind } from './terms.ts'

/**
 * - `kept`: the newest one is young enough;
 * - `pending`: there is none yet, or none since the policy promises more, and the next one is still in time;
 * - `broken`: it is too old, or there is none;
 * - `unknown`: it may be too old, and what was seen last is older than the promise allows.
 */
export type PromiseState = 'kept' | 'pending' | 'broken' | 'unknown'

export type Promised = {
  kind: PromiseKind
  policy: string
  /** Key of the instance. */
  subject: string
  /** Of a copy: where it is. */
  target: string | null
  state: PromiseState
  /** The newest that counts; null: none is known. */
  newest: { snapshot: string; at: string } | null
  /** It had some, and all of them are gone. */
  gone?: true
  /** For which share of the last 30 days it was kept, from 0 to 1; null: it is judged since just now. */
  keptShare: number | null
  /** `kept`, `pending`: until then, if nothing more happens. Else null. */
  until: string | null
  /** `broken`, `unknown`: since then. Else null. */
  since: string | null
  /** `broken`, `unknown`: why, with what to do. Else null. */
  reason: string | null
}

/** `policies`: as they hold now; those that are paused promise nothing. */
export function judgePromises(policies: readonly Policy[], known: Known, now: Date): Promised[] {
  return policies
    .filter(({ paused }) => !paused)
    .flatMap((policy) => {
      const former = formerOf(known.facts, policy)
      return Object.entries(own(known.facts.subjects, policy.name) ?? {}).flatMap(([subject, fact]) =>
        PROMISES.filter((kind) => isPromised(policy, kind, fact)).map((kind) =>
          judge({ kind, policy, former, subject, fact }, known, now),
        ),
      )
    })
}

type Known = { facts: Facts; ledger: Ledger | null }
/** `former`: the policy's terms at the last look, if they were others. */
type Judging = { kind: PromiseKind; policy: Policy; former: Terms | undefined; subject: string; fact: Fact }

function judge(asked: Judging, known: Known, now: Date): Promised {
  const { kind, policy, subject } = asked
  const place = placeOf(policy, subject)
  const target = kind === 'snapshot' ? null : place
  const fact = withOwed(atPlace(asked.fact, place), policy, asked.former, lookedAgainBy(known.facts, now))
  const judging = { ...asked, fact }
  const pair = newestIn(fact, kind)
  const from = pair === null ? new Date(fact.since ?? now) : new Date(pair[1] * 1000)
  const until = untilOf(policy, kind, fact, now)
  const base = {
    ...{ kind, policy: policy.name, subject, target },
    newest: pair === null ? null : { snapshot: pair[0], at: from.toISOString() },
    keptShare: keptShare(policy, kind, fact, now),
  }
  if (vanishedAt(kind, fact) !== null) {
    const [since, reason] = [until.toISOString(), whyGone(judging, target, known)]
    return { ...base, gone: true, state: 'broken', until: null, since, reason }
  }
  if (now <= until) {
    const state = pair === null || isOnlyOwed(policy, kind, fact, now) ? 'pending' : 'kept'
    return { ...base, state, until: until.toISOString(), since: null, reason: null }
  }
  const seen = seenAt(judging, target, known)
  const isStale = now.getTime() - seen.getTime() > until.getTime() - from.getTime()
  return {
    ...base,
    state: isStale ? 'unknown' : 'broken',
    until: null,
    since: until.toISOString(),
    reason: whyBroken(judging, target, known, seen),
  }
}

const placeOf = ({ copy }: Policy, subject: string): string | null =>
  copy === null ? null : subjectKey(targetOf(instanceOf(subject), copy))

/** When it was seen last. */
function seenAt({ subject, fact }: Judging, target: string | null, { facts }: Known): Date {
  const silent = [subject, target].flatMap((key) =>
    key === null ? [] : (silenceOf(key, facts)?.since ?? []),
  )
  return new Date([...silent, fact.unseen ?? [], facts.at].flat().sort()[0] ?? 0)
}

const silenceOf = (key: string, { silent = {} }: Facts) => own(silent, remoteOf(key))

function whyBroken(judging: Judging, target: string | null, { facts, ledger }: Known, seen: Date): string {
  const { kind, subject, policy } = judging
  const silent = [subject, target].flatMap((key) => {
    const silence = key === null ? undefined : silenceOf(key, facts)
    return silence === undefined
      ? []
      : [`${remoteOf(key ?? '')} has given no answer since ${silence.since}: ${silence.reason}`]
  })
  const tried =
    kind === 'snapshot' ? triedSnapshot(policy, subject, ledger) : triedCopy(subject, target, ledger)
  return silent[0] ?? tried ?? `no later one was seen by ${seen.toISOString()}`
}

/** What is missing, and why none has come since. */
function whyGone({ kind, policy, subject, fact }: Judging, target: string | null, { ledger }: Known): string {
  const [name] = parsePair(kind === 'snapshot' ? fact.gone : fact.lost) ?? []
  const [what, tried] =
    kind === 'snapshot'
      ? [`the last one, ${name}, is gone`, triedSnapshot(policy, subject, ledger)]
      : [`the verified snapshot ${name} is gone from the copy ${target}`, triedCopy(subject, target, ledger)]
  return tried === null ? what : `${what}; ${tried}`
}

/** Why the open slot has none yet, or the last one that is over got none. */
function triedSnapshot({ name }: Policy, subject: string, ledger: Ledger | null): string | null {
  const known = own(ledger?.policies ?? {}, name)
  const attempt: Attempt | undefined = own(known?.open?.attempts ?? {}, subject)
  if (attempt !== undefined) return withRetry(attempt)
  const [last] = known?.slots ?? []
  const failure = last?.failures?.find(({ instance }) => instance === subject)
  if (failure !== undefined) return failure.reason
  return last === undefined || last.outcome === 'served' ? null : whyOver(last)
}

/** What a whole server or a pause kept from being taken then says nothing of now. */
function whyOver({ slot, outcome, reason, failures = [] }: SlotRecord): string | null {
  const isPast = outcome === 'skipped' || failures.some(({ instance }) => instance.startsWith('remote:'))
  return isPast ? `its slot of ${slot} was ${outcome}, and it waits for the next one` : (reason ?? null)
}

function triedCopy(subject: string, target: string | null, ledger: Ledger | null): string | null {
  const entry = own(ledger?.work ?? {}, workKey(COPY, `${subject}>${target}`))
  if (entry === undefined || ENDS[entry.state] === 'good') return null
  if (ENDS[entry.state] === null) return `the copy has been running since ${entry.at}`
  return withRetry(entry)
}

const withRetry = ({
  reason = 'its last try failed',
  retryAt,
}: {
  reason?: string
  retryAt?: string
}): string => (retryAt === undefined ? reason : `${reason}; next try at ${retryAt}`)
