/**
 * Of which exports all have to be looked at, to find what no rule keeps: once after each new one, and again where something could
 * not go yet. A policy whose newest export is missing removes none. Where a policy keeps them all, a look now and then
 * finds what is no export.
 */
import { placeOf } from '../../ledger/work.ts'
import { thinningKey } from '../../plan/brake.ts'
import { type AnyRequest, narrow, type Scope } from '../../plan/request.ts'
import { storesIn } from '../../plan/world.ts'
import { rulesOf } from '../../retention/rules.ts'
import { exportsOf, isMissing, type Wanted, type Wanting } from '../export/due.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Milliseconds until all that a store has is looked at again where a policy keeps all, and where that has shown strays. */
const [SELDOM, SOONER] = [7 * DAY, DAY]
/** Milliseconds after which a store that could not be read is asked again. */
export const AGAIN = 10 * MINUTE

/** So many within a run, of each store: each is a list and a request or two for each export in it. */
const MOST = 4

/** Of policies that say how long their exports stay. */
export const keptExports = (wanting: Pick<Wanting, 'coverages' | 'facts' | 'now'>): Wanted[] =>
  exportsOf(wanting).filter(isKept)

/** Its policy says how long they stay. */
export const isKept = ({ export: { keep = {} } }: Pick<Wanted, 'export'>): boolean => rulesOf(keep).length > 0

export const placeIn = ({ covered, export: { to } }: Wanted): string => placeOf(covered.key, to)

export const brakeKey = ({ policy, covered }: Wanted): string => thinningKey(policy, covered.key)

type Asking = Wanting & { request?: AnyRequest | undefined }

/** Those to look at in this run, without those that share a place. */
export function toSurvey(asking: Asking): Wanted[] {
  const { request, world, now, facts } = asking
  const coverages = request === undefined ? asking.coverages : narrow(asking.coverages, request as Scope)
  const due = exportsOf({ ...asking, coverages }).filter((one) => {
    if (request?.do === 'allow') return isBraked(one, asking)
    if (request !== undefined && request.do !== 'look') return false
    // A dry run knows nothing of the looks before.
    return facts === null ? isKept(one) : dueAt(one, now) <= now.getTime()
  })
  // Of those that share a place, one by which something may go.
  const places = new Map(due.toSorted(byUrgency).map((one) => [placeIn(one), one]))
  return storesIn(world).flatMap((store) =>
    [...places.values()]
      .filter(({ export: { to } }) => to === store)
      .toSorted((one, other) => byUrgency(other, one) || dueAt(one, now) - dueAt(other, now))
      .slice(0, MOST),
  )
}

/** What may let something go comes last. */
const byUrgency = (one: Wanted, other: Wanted): number => Number(isKept(one)) - Number(isKept(other))

const isBraked = (one: Wanted, { ledger }: Asking): boolean =>
  Object.hasOwn(ledger.sight?.braked ?? {}, brakeKey(one))

/** Milliseconds since the epoch; infinite: not before the next export. */
export function dueAt(one: Wanted, now: Date): number {
  const { exportedAt, exportSorted, exportNext, exportUnread = '' } = one.fact
  if (exportedAt === undefined || isMissing(one, now)) return Number.POSITIVE_INFINITY
  const isNew = exportSorted === undefined || (isKept(one) && exportSorted < exportedAt)
  if (!isNew && exportNext === undefined) return Number.POSITIVE_INFINITY
  const due = Date.parse(isNew ? exportedAt : (exportNext ?? ''))
  return Math.max(due, (Date.parse(exportUnread) || Number.NEGATIVE_INFINITY) + AGAIN)
}

/** When to look next, after this run; null: after the next export. */
export function nextSurvey(wanting: Wanting, all: readonly Wanted[]): string | null {
  const { world, now } = wanting
  const soon = now.getTime() + MINUTE
  const times = all.flatMap((one) => {
    const place = placeIn(one)
    // What this run has seen of it says itself when it is looked at again.
    if (world.surveys?.has(place) === true) return []
    const newest = world.exports?.get(place)?.rows?.[0]?.madeAt ?? ''
    const { exportSorted = '' } = one.fact
    if (newest > exportSorted && (isKept(one) || exportSorted === '')) return [soon]
    return [Math.max(soon, dueAt(one, now))]
  })
  const next = Math.min(...times)
  return Number.isFinite(next) ? new Date(next).toISOString() : null
}

/** Where a policy keeps all of them (ISO 8601). */
export const seldomAgain = (strays: readonly string[], now: Date): string =>
  new Date(now.getTime() + (strays.length > 0 ? SOONER : SELDOM)).toISOString()
