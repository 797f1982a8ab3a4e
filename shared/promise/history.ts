/**
 * For which share of the last 30 days each promise was kept. Noted is only when it wasn't: those times end when a
 * look or a run shows the next snapshot, so between them the judgement itself says how it stands.
 */
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { type Fact, type Facts, factOf, parsePair } from './facts.ts'
import { keptUntil, owedUntil, PROMISES, type PromiseKind, promises } from './terms.ts'

const DAY = 86_400_000
/** Milliseconds that are looked back. */
const BACK = 30 * DAY
/** Of one promise. Beyond it the shortest time between two is noted as not kept either. */
const MOST = 30

/** From when to when a promise was not kept, in seconds since the epoch. */
type Gap = [from: number, to: number]

/** Until when that fact alone keeps the promise. */
export function untilOf(policy: Policy, kind: PromiseKind, fact: Fact, now: Date): Date {
  const pair = parsePair(kind === 'snapshot' ? fact.taken : fact.copied)
  if (pair !== null) return keptUntil(policy, kind, pair)
  return vanishedAt(kind, fact) ?? owedUntil(policy, kind, new Date(fact.since ?? now))
}

/** When it was seen that it had some and has none any more; null: it never had one. */
export function vanishedAt(kind: PromiseKind, fact: Fact): Date | null {
  const [last, at] = kind === 'snapshot' ? [fact.gone, fact.goneAt] : [fact.lost, fact.lostAt]
  if (parsePair(last) === null || newestIn(fact, kind) !== undefined) return null
  return new Date(at ?? fact.since ?? 0)
}

/** The facts with what is over by them: each newer snapshot ends the time since the one before was too old. */
export function withHistory(
  facts: Facts,
  before: Facts | null,
  policies: readonly Policy[],
  now: Date,
): Facts {
  const subjects = Object.entries(facts.subjects).map(([name, all]) => {
    const policy = policies.find((one) => one.name === name)
    const judged = Object.entries(all).map(([key, fact]): [string, Fact] => [
      key,
      withGaps(fact, factOf(before, name, key), policy, now),
    ])
    return [name, Object.fromEntries(judged)] as const
  })
  return { ...facts, subjects: Object.fromEntries(subjects) }
}

function withGaps(fact: Fact, before: Fact | undefined, policy: Policy | undefined, now: Date): Fact {
  const gaps = PROMISES.map((kind) => [kind, gapsAfter(kind, fact, before, policy, now)] as const)
  const { gaps: _, ...rest } = fact
  const noted = Object.fromEntries(gaps.filter(([, all]) => all.length > 0))
  return {
    ...rest,
    watched: before?.watched ?? before?.since ?? now.toISOString(),
    ...(policy?.paused === true
      ? { paused: now.toISOString() }
      : before?.paused === undefined
        ? {}
        : { paused: before.paused }),
    ...(Object.keys(noted).length === 0 ? {} : { gaps: noted }),
  }
}

/** Whatever took the place of the newest one: what was too old until now, was. */
function gapsAfter(
  kind: PromiseKind,
  fact: Fact,
  before: Fact | undefined,
  policy: Policy | undefined,
  now: Date,
): Gap[] {
  const known = gapsOf(before, kind)
  const gap = before === undefined || policy === undefined ? null : openGap(policy, kind, before, now)
  const isOther = newestIn(fact, kind) !== newestIn(before, kind)
  const gaps = gap !== null && isOther ? [...known, gap] : known
  return joined(gaps.filter(([, to]) => to * 1000 > now.getTime() - BACK))
}

const newestIn = (fact: Fact | undefined, kind: PromiseKind): string | undefined =>
  kind === 'snapshot' ? fact?.taken : fact?.copied

/** The time since when it isn't kept by that fact; null: it is. While it was paused nothing was promised. */
function openGap(policy: Policy, kind: PromiseKind, fact: Fact, now: Date): Gap | null {
  if (policy.paused || !promises(policy, kind, fact)) return null
  const until = Math.max(untilOf(policy, kind, fact, now).getTime(), Date.parse(fact.paused ?? '') || 0)
  return until < now.getTime() ? [Math.ceil(until / 1000), Math.ceil(now.getTime() / 1000)] : null
}

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

/** Of the last 30 days, or since it is watched: from 0 to 1. Null: it is watched since just now. */
export function keptShare(policy: Policy, kind: PromiseKind, fact: Fact, now: Date): number | null {
  const from = Math.max(now.getTime() - BACK, Date.parse(fact.watched ?? now.toISOString()))
  if (from >= now.getTime()) return null
  const open = openGap(policy, kind, fact, now)
  let [lost, end] = [0, from]
  for (const [begins, ends] of open === null ? gapsOf(fact, kind) : [...gapsOf(fact, kind), open]) {
    const [begin, to] = [Math.max(begins * 1000, end), Math.min(ends * 1000, now.getTime())]
    if (to <= begin) continue
    lost += to - begin
    end = to
  }
  return Math.max(0, 1 - lost / (now.getTime() - from))
}
