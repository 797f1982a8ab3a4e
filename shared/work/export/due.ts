/**
 * Which exports the policies want, and which stores have to be looked into for them: what a store holds says whether a slot
 * was served, so that neither a lost ledger nor a second tick exports twice.
 */

import { aheadOf } from '../../incus/snapshot-name.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { placeOf } from '../../ledger/work.ts'
import { storesIn, type World } from '../../plan/world.ts'
import { exportedBy, isBucket } from '../../policy/buckets.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import type { Export } from '../../policy/policy.ts'
import { type Fact, type Facts, factOf, inStore, parsePair } from '../../promise/facts.ts'
import { latestSlot, nextSlot } from '../../schedule/slots.ts'
import { exportIn } from './entry.ts'
import { knownExports } from './known.ts'

export type Wanted = {
  covered: Covered
  policy: string
  export: Export
  /** The last one of its schedule. */
  slot: Date
  /** What the looks before have shown of that store. */
  fact: Fact
}

export type Wanting = {
  coverages: readonly Coverage[]
  world: World
  ledger: Ledger
  facts: Facts | null
  now: Date
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 366 * DAY

/** A store that didn't have it is looked into again after so long. */
const AGAIN = 10 * MINUTE
/** After an export was given up. */
const LATER = 6 * HOUR
/** So many are under way at once, into one store. */
const MOST = 8
/** So many are looked for in one within a run only to see whether they are still there. */
const STILL = 20

/** Of each policy, instance by instance. */
export function exportsOf({ coverages, facts, now }: Pick<Wanting, 'coverages' | 'facts' | 'now'>): Wanted[] {
  return coverages.flatMap((coverage) => {
    const { policy } = coverage
    if (policy.export == null || policy.paused) return []
    const { export: wish } = policy
    const slot = lastSlot(policy.export.schedule, policy.timezone, now)
    if (slot === null) return []
    return exportedBy(coverage)
      .filter((one) => !one.policy.paused && one.policy.export != null)
      .map((one): Wanted => {
        const fact = inStore(factOf(facts, policy.name, one.key) ?? {}, wish.to)
        return { covered: one, policy: policy.name, export: wish, slot, fact }
      })
  })
}

/** One of each instance and store: of several policies, the one whose slot was last. */
export function wantedExports(wanting: Wanting): Wanted[] {
  const found = new Map<string, Wanted>()
  for (const one of exportsOf(wanting)) {
    const place = placeIn(one)
    const known = found.get(place)
    if (known === undefined || known.slot < one.slot) found.set(place, one)
  }
  return [...found.values()]
}

const placeIn = ({ covered, export: { to } }: Wanted): string => placeOf(covered.key, to)

/** Of each schedule. */
const CACHED = 10
const slots = new WeakMap<readonly string[], Map<string, Date | null>>()

/** Cached, as one run needs it several times. */
function lastSlot(schedule: readonly string[], timezone: string, until: Date): Date | null {
  const known = slots.get(schedule) ?? new Map<string, Date | null>()
  slots.set(schedule, known)
  const of = `${until.getTime()} ${timezone}`
  const cached = known.get(of)
  if (cached !== undefined) return cached
  const slot = latestSlot({ schedule, timezone, after: new Date(until.getTime() - YEAR), until })
  // Of the runs before, nobody asks.
  if (known.size >= CACHED) known.clear()
  known.set(of, slot)
  return slot
}

/** Whether its last slot has no export, as far as is known. */
export const isOwed = ({ fact: { exportedAt }, slot }: Wanted): boolean =>
  exportedAt === undefined || Date.parse(exportedAt) < slot.getTime()

/** Owed, and something newer is listed that could be exported. */
export function isMissing(one: Wanted, now: Date): boolean {
  if (!isOwed(one)) return false
  // It changes at any time.
  if (isBucket(one.covered.record)) return true
  const [, exported = 0] = parsePair(one.fact.exported) ?? []
  const isAhead = aheadOf(now)
  return (one.covered.record.snapshots ?? []).some((pair) => pair[1] > exported && !isAhead(pair))
}

/** Those to look for now, of each store: the ones first that were asked for least lately. */
export function toLookFor(wanting: Wanting): Wanted[] {
  const { world, ledger, now } = wanting
  const wanted = wantedExports(wanting)
  if (wanted.length === 0) return []
  const running = knownExports(world, ledger, now)
  const places = new Set(running.map(({ place }) => place))
  const free = wanted.filter((one) => !places.has(placeIn(one)))
  return storesIn(world).flatMap((store) => {
    const mine = free.filter(({ export: { to } }) => to === store).map((one) => askedOf(one))
    if (silentUntil(mine) > now.getTime()) return []
    const turn = mine
      .filter(({ unread }) => now.getTime() - unread >= AGAIN)
      .toSorted((one, other) => Math.max(one.seen, one.unread) - Math.max(other.seen, other.unread))
    const missing = new Set(turn.filter(({ one }) => isMissing(one, now)))
    const due = [...missing].filter((asked) => isTime(asked, ledger, now))
    const other = turn.filter((asked) => !missing.has(asked) && now.getTime() - asked.seen >= DAY)
    const room = Math.max(0, MOST - running.filter(({ entry }) => entry.store === store).length)
    return [...due.slice(0, room), ...other.slice(0, STILL)].map(({ one }) => one)
  })
}

/** When its store was read for it, and when that could not be done (milliseconds since the epoch). */
type Asked = { one: Wanted; seen: number; unread: number }

/** `world`: after a look. */
function askedOf(one: Wanted, world?: World, now?: Date): Asked {
  const { exportSeen = '', exportUnread = '' } = one.fact
  const asked = { one, seen: Date.parse(exportSeen) || 0, unread: Date.parse(exportUnread) || 0 }
  const looked = world?.exports?.get(placeIn(one))
  if (looked === undefined || now === undefined) return asked
  return looked.rows === null ? { ...asked, unread: now.getTime() } : { ...asked, seen: now.getTime() }
}

/** A store of which nothing could be read last is asked for nobody meanwhile, nor each minute. */
function silentUntil(asked: readonly Asked[]): number {
  const unread = asked.reduce((last, one) => Math.max(last, one.unread), 0)
  return asked.some(({ seen }) => seen >= unread) ? 0 : unread + AGAIN
}

function isTime({ one, seen }: Asked, ledger: Ledger, now: Date): boolean {
  if (laterOn(one, ledger) > now.getTime()) return false
  const [, taken = 0] = parsePair(one.fact.taken) ?? []
  return now.getTime() - seen >= AGAIN || taken * 1000 >= seen
}

/** Until then it isn't tried again: it was given up, or somebody has cancelled it, which holds until the next slot. */
function laterOn({ covered, policy, export: wish, slot }: Wanted, ledger: Ledger): number {
  const entry = exportIn(ledger, covered.key, wish.to)
  if (entry?.state !== 'failed') return 0
  if (entry.cancelled === undefined) return Date.parse(entry.at) + LATER
  if (Date.parse(entry.at) < slot.getTime() || entry.policy !== policy) return 0
  const { timezone } = covered.policy
  return nextSlot({ schedule: wish.schedule, timezone, after: slot })?.getTime() ?? Number.MAX_SAFE_INTEGER
}

/** When to look again, after this run. Those that have yet to end are looked after elsewhere. */
export function nextLook(wanting: Wanting): Date | null {
  const { world, ledger, now } = wanting
  const running = new Set(knownExports(world, ledger, now).map(({ place }) => place))
  const free = wantedExports(wanting).filter((one) => !running.has(placeIn(one)))
  const times = storesIn(world).flatMap((store) => {
    const mine = free.filter(({ export: { to } }) => to === store).map((one) => askedOf(one, world, now))
    const least = Math.max(silentUntil(mine), now.getTime() + MINUTE)
    return mine.map(({ one, seen, unread }) => {
      const missing = isMissing(one, now)
      const later = missing ? Math.max(seen + AGAIN, laterOn(one, ledger)) : seen + DAY
      return Math.max(later, unread + AGAIN, least)
    })
  })
  return times.length === 0 ? null : new Date(Math.min(...times))
}
