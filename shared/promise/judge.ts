/** How each promise stands at a moment, by the facts; the ledger says why one is broken. */
import { instanceOf, subjectKey } from '../incus/subject.ts'
import { own } from '../own.ts'
import { targetOf } from '../policy/places.ts'
import type { Policy } from '../policy/policy.ts'
import { atPlace, inStore, lookedAgainBy, newestIn, vanishedAt } from './facts.ts'
import { keptShare } from './history.ts'
import { formerOf, isOnlyOwed, isPromised, untilOf, withOwed } from './owed.ts'
import { PROMISES, type PromiseKind } from './terms.ts'
import { type Judged, type Known, placesOf, silenceOf, whyBroken, whyGone } from './why.ts'

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
  /** Of a copy: where it is. Of an export: the store. */
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
  const lookedAgain = lookedAgainBy(known.facts, now)
  return policies
    .filter(({ paused }) => !paused)
    .flatMap((policy) => {
      const former = formerOf(known.facts, policy)
      const store = policy.export?.to ?? null
      return Object.entries(own(known.facts.subjects, policy.name) ?? {}).flatMap(([subject, noted]) => {
        const place = placeOf(policy, subject)
        const fact = withOwed(inStore(atPlace(noted, place), store), policy, former, lookedAgain)
        return PROMISES.filter((kind) => isPromised(policy, kind, noted)).map((kind) => {
          const target = kind === 'snapshot' ? null : kind === 'copy' ? place : store
          return judge({ kind, policy, subject, fact, target }, known, now)
        })
      })
    })
}

function judge(judging: Judged, known: Known, now: Date): Promised {
  const { kind, policy, subject, fact, target } = judging
  const pair = newestIn(fact, kind)
  const until = untilOf(policy, kind, fact, now)
  const base = {
    ...{ kind, policy: policy.name, subject, target },
    newest: pair === null ? null : { snapshot: pair[0], at: new Date(pair[1] * 1000).toISOString() },
    keptShare: keptShare(kind, fact, until, now),
  }
  if (vanishedAt(kind, fact) !== null) {
    const [since, reason] = [until.toISOString(), whyGone(judging, known)]
    return { ...base, gone: true, state: 'broken', until: null, since, reason }
  }
  if (now <= until) {
    const state = pair === null || isOnlyOwed(policy, kind, fact, now) ? 'pending' : 'kept'
    return { ...base, state, until: until.toISOString(), since: null, reason: null }
  }
  const seen = seenAt(judging, known)
  const from = pair === null ? new Date(fact.since ?? now) : new Date(pair[1] * 1000)
  const isStale = now.getTime() - seen.getTime() > until.getTime() - from.getTime()
  return {
    ...base,
    state: isStale ? 'unknown' : 'broken',
    until: null,
    since: until.toISOString(),
    reason: whyBroken(judging, known, seen),
  }
}

const placeOf = ({ copy }: Policy, subject: string): string | null =>
  copy === null ? null : subjectKey(targetOf(instanceOf(subject), copy))

/** When it was seen last. */
function seenAt(judging: Judged, { facts }: Known): Date {
  const silent = placesOf(judging).flatMap((key) => silenceOf(key, facts)?.since ?? [])
  const { unseen, exportSeen } = judging.fact
  const looked = judging.kind === 'export' ? (exportSeen ?? []) : (unseen ?? [])
  return new Date([...silent, looked, facts.at].flat().sort()[0] ?? 0)
}
