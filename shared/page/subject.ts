/** One subject as its page shows it: each snapshot, here and on its copies, with what becomes of it and why. */

import { type CopyStock, isVerified, type Stock } from '../command/stock.ts'
import { expiresAt } from '../incus/expiry.ts'
import type { SnapshotPair } from '../incus/inventory.ts'
import { samePair } from '../incus/pairs.ts'
import { compareAge, isManual, parseSnapshotName, SAFETY } from '../incus/snapshot-name.ts'
import { instanceOf } from '../incus/subject.ts'
import type { Line } from '../plan/line.ts'
import { manualExpiry } from '../plan/manual.ts'
import type { World } from '../plan/world.ts'
import { holdsOf, removedOn } from '../policy/marks.ts'
import type { Policy } from '../policy/policy.ts'

/**
 * - `there`: on the source, whole; `partial`: perhaps not whole;
 * - `verified`, `unverified`: on a copy.
 */
export type Presence = 'there' | 'partial' | 'verified' | 'unverified'

type Place = {
  key: string
  /** What is known of it as a whole, if it can't be listed, or isn't there; null: it is listed. */
  problem: string | null
}

/** With a run now, with that at the next slot, or at a date of its own. */
type Going = { place: string; when: 'now' | 'next' | 'later'; at: string; reason: string }

export type SnapshotView = {
  name: string
  /** ISO 8601. */
  at: string
  /** Whose it is. */
  owner: string
  presence: Map<string, Presence>
  held: boolean
  /** Why it stays. */
  reasons: string[]
  going: Going[]
}

export type SubjectView = { places: Place[]; snapshots: SnapshotView[] }

type Seen = {
  stock: Stock
  world: World
  /** The policies that cover it, as they hold for it. */
  policies: readonly Policy[]
  /** Of a run now and of that at the next slot, about it and its copies. */
  lines: readonly Line[]
  next: { at: string; lines: readonly Line[] } | null
  /** Whose expiry on the source is postponed, because a copy lags behind. */
  putOff: readonly { snapshot: string; until: string }[]
  now: Date
}

export function subjectViewOf(seen: Seen): SubjectView {
  const { stock, world } = seen
  const listed = new Map([
    [stock.key, stock.record.snapshots ?? []],
    ...stock.copies.map(({ target }) => [target, world.find(instanceOf(target))?.snapshots ?? []] as const),
  ])
  const pairs = new Map([...listed.values()].flat().map((pair) => [pair.join('@'), pair]))
  return {
    places: [{ key: stock.key, problem: problemOf(stock) }, ...stock.copies.map(placeOf)],
    snapshots: [...pairs.values()].sort((a, b) => compareAge(b, a)).map((pair) => viewOf(pair, listed, seen)),
  }
}

const problemOf = ({ record }: Stock): string | null =>
  record.snapshots === null ? (record.problem ?? 'its snapshots could not be listed') : null

const placeOf = ({ target, verified, reason }: CopyStock): Place => ({
  key: target,
  problem: reason ?? (verified?.length === 0 ? 'nothing is verified there yet' : null),
})

function viewOf(
  pair: SnapshotPair,
  listed: ReadonlyMap<string, readonly SnapshotPair[]>,
  seen: Seen,
): SnapshotView {
  const { stock, lines, next, policies, now } = seen
  const [name, createdAt] = pair
  const presence = new Map<string, Presence>()
  for (const [place, others] of listed)
    if (others.some((one) => samePair(one, pair))) presence.set(place, presenceOf(place, pair, stock))
  const isMine = ({ what, about }: Line): boolean => what === name && presence.has(about)
  const goingIn = (all: readonly Line[], when: Going['when'], at: string): Going[] =>
    all
      .filter((line) => isMine(line) && line.sign === '-')
      .map(({ about, reason }) => ({ place: about, when, at, reason }))
  const goesNow = goingIn(lines, 'now', now.toISOString())
  const goesNext = next === null || goesNow.length > 0 ? [] : goingIn(next.lines, 'next', next.at)
  return {
    name,
    at: new Date(createdAt * 1000).toISOString(),
    owner: ownerOf(name, stock.replica === null ? policies : null),
    presence,
    held: holdsOf(stock.record).has(name),
    reasons: [
      ...new Set(lines.filter((line) => isMine(line) && line.sign !== '-').map(({ reason }) => reason)),
    ],
    going: [...goesNow, ...goesNext, ...removed(name, seen), ...ownEnds(pair, presence, seen)],
  }
}

/** By somebody, until when it can be undone. */
function removed(name: string, { stock, now }: Seen): Going[] {
  const gone = removedOn(stock.record, now).get(name)
  if (gone === undefined) return []
  const reason = `somebody removed it: until then /backup undo ${stock.record.name} ${name} takes that back`
  return [{ place: stock.key, when: 'later', at: new Date(gone.end).toISOString(), reason }]
}

function presenceOf(place: string, pair: SnapshotPair, { key, copies, replica, partials }: Stock): Presence {
  if (place !== key) {
    const copy = copies.find(({ target }) => target === place)
    return copy !== undefined && isVerified(copy, pair) ? 'verified' : 'unverified'
  }
  if (replica !== null) return replica.verified.some((one) => samePair(one, pair)) ? 'verified' : 'unverified'
  return partials.includes(pair[0]) ? 'partial' : 'there'
}

/** Null: those of its source, which are not known here. */
function ownerOf(name: string, policies: readonly Policy[] | null): string {
  const policy = parseSnapshotName(name)?.policy
  if (policy === undefined) return 'not by a policy'
  if (policy === SAFETY) return 'before a restore'
  if (isManual(name)) return 'on request'
  const covers = policies === null || policies.some((one) => one.name === policy)
  return covers ? policy : `${policy}, which does not cover it`
}

/** By the expiry of its policy as it is now, or as it was postponed. */
function ownEnds(
  [name, createdAt]: SnapshotPair,
  presence: ReadonlyMap<string, Presence>,
  seen: Seen,
): Going[] {
  const { stock, policies, putOff, now } = seen
  const later = putOff.find(({ snapshot }) => snapshot === name)
  if (later !== undefined && presence.has(stock.key)) {
    const reason = 'its expiry is postponed until then, because the copy lags behind'
    return [{ place: stock.key, when: 'later', at: later.until, reason }]
  }
  const policy = policies.find((one) => one.name === parseSnapshotName(name)?.policy)
  const from = new Date(createdAt * 1000)
  if (policy === undefined) return isManual(name) && presence.has(stock.key) ? manualEnd(from, seen) : []
  return [...presence.keys()].flatMap((place): Going[] => {
    const expiry = place === stock.key ? policy.expiry : (policy.copy?.expiry ?? null)
    if (expiry === null) return []
    const end = expiresAt(expiry, from)
    if (end <= now) return []
    const reason = `Incus removes it then: expiry ${expiry}`
    return [{ place, when: 'later', at: end.toISOString(), reason }]
  })
}

/** Of one on request, unless somebody gave it another: Incus's listing has no dates. */
function manualEnd(from: Date, { stock, policies, now }: Seen): Going[] {
  const at = manualExpiry(policies, from)
  return at === null || Date.parse(at) <= now.getTime()
    ? []
    : [
        {
          place: stock.key,
          when: 'later',
          at,
          reason: 'Incus removes it then, unless it was given another expiry',
        },
      ]
}
