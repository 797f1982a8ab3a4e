/**
 * For which share of the last 30 days each promise was kept. Noted is only when it wasn't: those times end when a
 * look or a run shows the next snapshot, so between them the judgement itself says how it stands.
 */
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { type Fact, type Facts, factOf, newestTextIn, type Terms } from './facts.ts'
import { formerOf, isPromised, termsIn, untilOf, withFallen, withOwed, withoutNeedless } from './owed.ts'
import { PROMISES, type PromiseKind } from './terms.ts'

const DAY = 86_400_000
/** Milliseconds that are looked back. */
const BACK = 30 * DAY
/** Of one promise. Beyond it the shortest time between two is noted as not kept either. */
const MOST = 30

/** From when to when a promise was not kept, in seconds since the epoch. */
type Gap = [from: number, to: number]

/** The facts with what is over by them: each newer snapshot ends the time since the one before was too old. */
export function withHistory(
  facts: Facts,
  before: Facts | null,
  policies: readonly Policy[],
  now: Date,
): Facts {
  const subjects = Object.entries(facts.subjects).map(([name, all]) => {
    const policy = policies.find((one) => one.name === name)
    const former = policy === undefined ? undefined : formerOf(before, policy)
    const judged = Object.entries(all).map(([key, fact]): [string, Fact] => [
      key,
      withGaps(fact, factOf(before, name, key), policy, former, now),
    ])
    return [name, Object.fromEntries(judged)] as const
  })
  return { ...facts, subjects: Object.fromEntries(subjects), terms: termsIn(policies) }
}

/** `former`: the policy's terms at the look before, if they were others. */
type Since = { before: Fact; policy: Policy; former: Terms | undefined }

function withGaps(
  fact: Fact,
  before: Fact | undefined,
  policy: Policy | undefined,
  former: Terms | undefined,
  now: Date,
): Fact {
  const { gaps: _, owed: _owed, ...seen } = fact
  const watched = before?.watched ?? before?.since ?? now.toISOString()
  if (before === undefined || policy === undefined)
    return { ...seen, watched, ...(before?.gaps === undefined ? {} : { gaps: before.gaps }) }
  const { owed } = withFallen(withOwed(before, policy, former, now), seen, policy, now)
  const after =
    owed === undefined ? { ...seen, watched } : withoutNeedless({ ...seen, watched, owed }, policy, now)
  const gaps = PROMISES.map(
    (kind) => [kind, gapsAfter(kind, after, { before, policy, former }, now)] as const,
  )
  const noted = Object.fromEntries(gaps.filter(([, all]) => all.length > 0))
  return { ...after, ...(Object.keys(noted).length === 0 ? {} : { gaps: noted }) }
}

/** Whatever took the place of the newest one, or of the terms: what was too old until now, was. */
function gapsAfter(kind: PromiseKind, fact: Fact, { before, policy, former }: Since, now: Date): Gap[] {
  const known = gapsOf(before, kind)
  const gap = openGap(former ?? policy, kind, before, now)
  const isOver =
    newestTextIn(fact, kind) !== newestTextIn(before, kind) ||
    (former !== undefined && openGap(policy, kind, fact, now) === null)
  const gaps = gap !== null && isOver ? [...known, gap] : known
  return joined(gaps.filter(([, to]) => to * 1000 > now.getTime() - BACK))
}

/** The time since when it isn't kept by that fact; null: it is, or isn't promised. */
function openGap(terms: Policy | Terms, kind: PromiseKind, fact: Fact, now: Date): Gap | null {
  return isPromised(terms, kind, fact) ? gapSince(untilOf(terms, kind, fact, now), now) : null
}

/** `until`: until then it was kept. */
const gapSince = (until: Date, now: Date): Gap | null =>
  until < now ? [Math.ceil(until.getTime() / 1000), Math.ceil(now.getTime() / 1000)] : null

const gapsOf = (fact: Fact | undefined, kind: PromiseKind): Gap[] => own(fact?.gaps ?? {}, kind) ?? []

/** No more than are noted: the two that lie closest together become one, so that no more is said to be kept. */
function joined(gaps: readonly Gap[]): Gap[] {
  const all = [...gaps]
  while (all.length > MOST) {
    let closest = 1
    for (let at = 1; at < all.length; at++) if (between(all, at) < between(all, closest)) closest = at
    const [first, second] = [all.at(closest - 1), all.at(closest)]
    if (first === undefined || second === undefined) break
    all.splice(closest - 1, 2, [first[0], second[1]])
  }
  return all
}

const between = (gaps: readonly Gap[], at: number): number =>
  (gaps.at(at)?.[0] ?? 0) - (gaps.at(at - 1)?.[1] ?? 0)

/**
 * Of the last 30 days, or since it is watched: from 0 to 1. Null: it is watched since just now. `until`: until then that
 * fact keeps it, which is promised.
 */
export function keptShare(kind: PromiseKind, fact: Fact, until: Date, now: Date): number | null {
  const from = Math.max(now.getTime() - BACK, Date.parse(fact.watched ?? now.toISOString()))
  if (from >= now.getTime()) return null
  const open = gapSince(until, now)
  if (open === null && gapsOf(fact, kind).length === 0) return 1
  let [lost, end] = [0, from]
  for (const [begins, ends] of open === null ? gapsOf(fact, kind) : [...gapsOf(fact, kind), open]) {
    const [begin, to] = [Math.max(begins * 1000, end), Math.min(ends * 1000, now.getTime())]
    if (to <= begin) continue
    lost += to - begin
    end = to
  }
  return Math.max(0, 1 - lost / (now.getTime() - from))
}
