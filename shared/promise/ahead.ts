/** Dates in the facts that lie in the future and can't: a clock was ahead. A first backup would be in time until then. */
import { aheadOf } from '../incus/snapshot-name.ts'
import { LEEWAY } from '../ledger/beat.ts'
import { own } from '../own.ts'
import { type Fact, type Facts, type FoundFacts, parsePair } from './facts.ts'

/** `limit`: no time is later. All are canonical, so they compare as texts, and each tick reads them. */
type Clock = { now: string; limit: string; seconds: number; isAhead: ReturnType<typeof aheadOf> }

/** What was mended is added to `lost`. */
export function dropFuture({ facts, lost }: FoundFacts, now: Date): FoundFacts {
  const clock: Clock = {
    now: now.toISOString(),
    limit: new Date(now.getTime() + LEEWAY).toISOString(),
    seconds: Math.floor((now.getTime() + LEEWAY) / 1000),
    isAhead: aheadOf(now),
  }
  return facts === null || isPast(facts, clock)
    ? { facts, lost }
    : { facts: mended(facts, clock), lost: [...lost, 'times of the promises: they were in the future'] }
}

const PAIRS = ['taken', 'gone', 'copied', 'lost'] as const
const TIMES = ['goneAt', 'lostAt', 'exportGoneAt', 'since', 'unseen', 'watched', 'paused'] as const
/** With one of these ahead nothing is known of its exports but which one is bad: the next look shows the rest. */
const EXPORT_TIMES = ['exportedAt', 'exportSeen', 'exportUnread', 'checkedAt'] as const
const EXPORTED: readonly string[] = [...EXPORT_TIMES, 'exportName', 'exported']

function isPast({ at, silent = {}, subjects }: Facts, clock: Clock): boolean {
  const isTold = (time: string | undefined): boolean => time === undefined || time <= clock.limit
  return (
    isTold(at) &&
    Object.values(silent).every(({ since }) => isTold(since)) &&
    Object.values(subjects).every((all) =>
      Object.values(all).every(
        (fact) =>
          TIMES.every((name) => isTold(timeIn(fact, name))) &&
          !isExportAhead(fact, clock) &&
          PAIRS.every((name) => !isAheadIn(fact, name, clock)) &&
          Object.values(fact.gaps ?? {}).every((gaps) => gaps.every(([, to]) => to <= clock.seconds)),
      ),
    )
  )
}

/** As text, like each of them. */
const timeIn = (
  fact: Fact,
  name: (typeof PAIRS | typeof TIMES | typeof EXPORT_TIMES)[number],
): string | undefined => own(fact as Readonly<Record<string, string>>, name)

const isExportAhead = (fact: Fact, { limit }: Clock): boolean =>
  EXPORT_TIMES.some((name) => (timeIn(fact, name) ?? '') > limit)

function isAheadIn(fact: Fact, name: (typeof PAIRS)[number], { isAhead }: Clock): boolean {
  const pair = parsePair(timeIn(fact, name))
  return pair !== null && isAhead(pair)
}

const mapValues = <From, To>(all: Record<string, From>, to: (one: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(all).map(([key, one]) => [key, to(one)]))

const notAfter = (time: string, { now, limit }: Clock): string => (time > limit ? now : time)

const mended = ({ silent, ...facts }: Facts, clock: Clock): Facts => ({
  ...facts,
  // When it was isn't known.
  ...(facts.at > clock.limit ? { at: new Date(0).toISOString() } : {}),
  subjects: mapValues(facts.subjects, (all) => mapValues(all, (fact) => past(fact, clock))),
  ...(silent === undefined
    ? {}
    : { silent: mapValues(silent, (one) => ({ ...one, since: notAfter(one.since, clock) })) }),
})

function past(fact: Fact, clock: Clock): Fact {
  const pairs = PAIRS.filter((name) => isAheadIn(fact, name, clock))
  const ahead = new Set<string>([...pairs, ...(isExportAhead(fact, clock) ? EXPORTED : [])])
  const times = TIMES.flatMap((name) => {
    const time = timeIn(fact, name)
    return time === undefined ? [] : [[name, notAfter(time, clock)] as const]
  })
  const kept = Object.entries(fact).filter(([name]) => !ahead.has(name))
  const left = { ...(Object.fromEntries(kept) as Fact), ...Object.fromEntries(times) }
  if (fact.gaps === undefined) return left
  return { ...left, gaps: mapValues(fact.gaps, (gaps) => soFar(gaps, clock)) }
}

type Gaps = [from: number, to: number][]

/** A time that begins in the future was none; one that began before lasts until now. */
const soFar = (gaps: Gaps, { now, seconds }: Clock): Gaps =>
  gaps.flatMap(([from, to]): Gaps => {
    if (to <= seconds) return [[from, to]]
    const end = Math.floor(Date.parse(now) / 1000)
    return from < end ? [[from, end]] : []
  })
