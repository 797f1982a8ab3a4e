/**
 * The rules of a keep. Each looks at snapshots newest first and answers with the reason it keeps
 * one, or null; rules know nothing of each other.
 */
import type { Zone } from '../schedule/zone.ts'
import { type Bucket, buckets, type Moment } from './buckets.ts'
import type { Keep } from './keep.ts'
import * as reasons from './reasons.ts'
import { isZero, parseWithin, reachBack, renderWithin, type Within } from './within.ts'

type Rule = {
  bucket: Bucket
  /** How many it keeps at most; infinite for all, and for the within rules. */
  limit: number
  /** How far it looks back from the newest; null for ever. */
  reach: Within | null
  /** In users' words, for the nth it keeps. */
  reason: (nth: number) => string
}

const COUNTS = [
  ['last', 'last', buckets.each],
  ['hourly', 'hourly', buckets.hour],
  ['daily', 'daily', buckets.day],
  ['weekly', 'weekly', buckets.week],
  ['monthly', 'monthly', buckets.month],
  ['yearly', 'yearly', buckets.year],
] as const

const WITHINS = [
  ['within', '', buckets.each],
  ['withinHourly', 'hourly', buckets.hour],
  ['withinDaily', 'daily', buckets.day],
  ['withinWeekly', 'weekly', buckets.week],
  ['withinMonthly', 'monthly', buckets.month],
  ['withinYearly', 'yearly', buckets.year],
] as const

const read = new WeakMap<Keep, Rule[]>()

/** Read once per keep, as a tick asks for every instance. Throws on what `parseWithin` refuses. */
export function rulesOf(keep: Keep): Rule[] {
  const known = read.get(keep)
  if (known !== undefined) return known
  const rules = [...countRules(keep), ...withinRules(keep)]
  read.set(keep, rules)
  return rules
}

function countRules(keep: Keep): Rule[] {
  return COUNTS.flatMap(([key, label, bucket]) => {
    const count = keep[key] ?? 0
    if (count === 0) return []
    const limit = count < 0 ? Number.POSITIVE_INFINITY : count
    return [{ bucket, limit, reach: null, reason: remember((nth) => reasons.counted(label, nth, limit)) }]
  })
}

function withinRules(keep: Keep): Rule[] {
  return WITHINS.flatMap(([key, label, bucket]) => {
    const parsed = parseWithin(keep[key] ?? '0h')
    if (!parsed.ok) throw new Error(parsed.error)
    if (isZero(parsed.value)) return []
    const reason = reasons.within(label, renderWithin(parsed.value))
    return [{ bucket, limit: Number.POSITIVE_INFINITY, reach: parsed.value, reason: () => reason }]
  })
}

function remember(words: (nth: number) => string): (nth: number) => string {
  const known: string[] = []
  return (nth) => {
    known[nth] ??= words(nth)
    return known[nth]
  }
}

/** Called once for each snapshot, newest first. */
export type Judge = (moment: Moment, isOldest: boolean) => string | null

/**
 * Keeps the newest of each of the first `limit` buckets within reach, and the oldest snapshot of all
 * as long as the limit isn't reached, so that a young history goes as far back as it can.
 */
export function judge({ bucket, limit, reach, reason }: Rule, newest: number, zone: Zone): Judge {
  const edge = reach === null ? Number.NEGATIVE_INFINITY : reachBack(newest, reach, zone)
  let taken = 0
  let previous: number | null = null
  return (moment, isOldest) => {
    if (taken >= limit || moment.instant <= edge) return null
    const own = bucket(moment)
    const opens = own !== previous
    if (!opens && !isOldest) return null
    previous = own
    taken += 1
    return opens ? reason(taken) : reasons.oldest(reason(taken))
  }
}
