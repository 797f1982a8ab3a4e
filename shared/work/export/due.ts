/**
 * Which exports the policies want, and which stores have to be looked into for them: what a store holds says whether a slot
 * was served, so that neither a lost ledger nor a second tick exports twice.
 */
import type { Ledger } from '../../ledger/ledger.ts'
import { storesIn, type World } from '../../plan/world.ts'
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
/** So many are under way at once. */
const MOST = 8
/** So many are looked for within a run only to see whether they are still there. */
const STILL = 20

/** One of each instance and store: of several policies, the one whose slot was last. */
export function wantedExports({ coverages, facts, now }: Wanting): Wanted[] {
  const found = new Map<string, Wanted>()
  for (const { policy, covered } of coverages) {
    if (policy.export == null || policy.paused) continue
    const { export: wish, timezone } = policy
    const span = { schedule: wish.schedule, timezone, after: new Date(now.getTime() - YEAR), until: now }
    const slot = latestSlot(span)
    if (slot === null) continue
    for (const one of covered) {
      const place = placeOf(one.key, wish.to)
      const known = found.get(place)
      if (one.policy.paused || one.policy.export == null || (known !== undefined && known.slot >= slot))
        continue
      const fact = inStore(factOf(facts, policy.name, one.key) ?? {}, wish.to)
      found.set(place, { covered: one, policy: policy.name, export: wish, slot, fact })
    }
  }
  return [...found.values()]
}

export const placeOf = (key: string, store: string): string => `${key}>${store}`

/** Whether its last slot has no export, as far as is known. */
export const isOwed = ({ fact: { exportedAt }, slot }: Wanted): boolean =>
  exportedAt === undefined || Date.parse(exportedAt) < slot.getTime()

/** Nothing newer is there to export. */
const isCurrent = ({ fact: { exported, taken } }: Wanted): boolean =>
  exported !== undefined && exported === taken

/** Those to look for now, the owed ones first. */
export function toLookFor(wanting: Wanting): Wanted[] {
  const { world, ledger, now } = wanting
  const wanted = wantedExports(wanting)
  if (wanted.length === 0) return []
  const stores = storesIn(world)
  const running = new Set(knownExports(world, ledger, now).map(({ key }) => key))
  const free = wanted.filter(
    ({ covered, export: { to } }) => stores.includes(to) && !running.has(covered.key),
  )
  const oldest = (one: Wanted, other: Wanted): number => seenAt(one) - seenAt(other)
  const owed = free
    .filter((one) => isOwed(one) && !isCurrent(one) && isTime(one, ledger, now))
    .toSorted(oldest)
  const other = free
    .filter(
      (one) =>
        (!isOwed(one) || isCurrent(one)) &&
        now.getTime() - seenAt(one) >= DAY &&
        now.getTime() - unreadAt(one) >= AGAIN,
    )
    .toSorted(oldest)
  return [...owed.slice(0, Math.max(0, MOST - running.size)), ...other.slice(0, STILL)]
}

const seenAt = ({ fact: { exportSeen } }: Wanted): number => Date.parse(exportSeen ?? '') || 0

/** A store that can't be read isn't asked each minute. */
const unreadAt = ({ fact: { exportUnread } }: Wanted): number => Date.parse(exportUnread ?? '') || 0

function isTime(one: Wanted, ledger: Ledger, now: Date): boolean {
  if (Math.max(laterOn(one, ledger), unreadAt(one) + AGAIN) > now.getTime()) return false
  const [, taken = 0] = parsePair(one.fact.taken) ?? []
  return now.getTime() - seenAt(one) >= AGAIN || taken * 1000 >= seenAt(one)
}

/** Until then it isn't tried again: it was given up, or somebody has cancelled it, which holds until the next slot. */
function laterOn({ covered, policy, export: wish, slot }: Wanted, ledger: Ledger): number {
  const entry = exportIn(ledger, covered.key)
  if (entry?.store !== wish.to || entry.state !== 'failed') return 0
  if (entry.cancelled === undefined) return Date.parse(entry.at) + LATER
  if (Date.parse(entry.at) < slot.getTime() || entry.policy !== policy) return 0
  const { timezone } = covered.policy
  return nextSlot({ schedule: wish.schedule, timezone, after: slot })?.getTime() ?? Number.MAX_SAFE_INTEGER
}

/** When to look again, after this run. */
export function nextLook(wanting: Wanting): Date | null {
  const now = wanting.now.getTime()
  const times = wantedExports(wanting).flatMap((one) => {
    const looked = wanting.world.exports?.get(placeOf(one.covered.key, one.export.to))
    const seen = looked === undefined || looked.rows === null ? seenAt(one) : now
    const unread = looked?.rows === null ? now : unreadAt(one)
    const least = Math.max(unread + AGAIN, now + MINUTE)
    if (!isOwed(one) || isCurrent(one)) return [Math.max(seen + DAY, least)]
    return [Math.max(seen + AGAIN, laterOn(one, wanting.ledger), least)]
  })
  return times.length === 0 ? null : new Date(Math.min(...times))
}

export const rowsFor = ({ exports }: Pick<World, 'exports'>, key: string, store: string) =>
  exports?.get(placeOf(key, store))
