/**
 * What the relay remembers beside Incus, over its restarts: which snapshots it saw verified, which it removed
 * itself, and how many an instance had. It only ever makes the relay more careful: without it the marks on the
 * copies still count (docs/security.md says what is lost with it).
 */
import type { Clock } from '../../shared/clock.ts'
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { mostOf, type Peak, withListed } from '../../shared/incus/pace.ts'
import { own } from '../../shared/own.ts'
import { parseVerified, renderVerified } from '../../shared/work/copy/marks.ts'
import { isObject, text } from './envelope.ts'
import { createLosses, type Losses } from './losses.ts'

/** Where it is kept. `changed` gets a function that gives the present state, as JSON. */
export type JournalStore = {
  read(): unknown
  changed(state: () => unknown): void
  /** Writes at once what has changed; false: it can't. Absent: nothing waits to be written. */
  flush?(): boolean
}

/** Whether an instance for an export is known to be there: while it is made no file of it can exist. */
export type TemporaryState = 'making' | 'made'

/** Of an instance that the relay made from a snapshot: what it has no mark for. */
export type Made = {
  /** When Incus created it, in seconds since the epoch: another one of its name has another date. */
  since: number
  /** The mark that a restore takes off it; empty: it is finished. */
  mark: string
}

export type Journal = {
  losses: Losses
  verified(subject: string): readonly SnapshotPair[]
  /** Replaces what is known of it; none: it is forgotten. */
  setVerified(subject: string, pairs: readonly SnapshotPair[]): void
  subjects(): Iterable<string>
  /** The relay itself removed that snapshot of a source, or has Incus remove it then (milliseconds since the epoch). */
  noteExpired(subject: string, pair: SnapshotPair, at?: number): void
  /**
   * When that snapshot of a source expires by itself (seconds since the epoch; null: never). Only the latest
   * that was seen counts: whoever takes over a server can set an earlier one, and somebody may make it later.
   */
  noteEnd(subject: string, pair: SnapshotPair, end: number | null): void
  /** Snapshots that the relay removed, or that have expired by now, as `name@seconds`. */
  expired(subject: string): string[]
  /** The same of all instances of a remote that copies still have, as `project/instance/name@seconds`. */
  expiredOn(remote: string, onCopies: ReadonlyMap<string, ReadonlySet<string>>): string[]
  /** Drops what expired long ago and no copy has. */
  tidy(onCopies: ReadonlyMap<string, ReadonlySet<string>>): void
  /** The relay makes an expiry later: from what Incus shows, to then (milliseconds since the epoch). */
  postpone(subject: string, snapshot: string, shown: number, until: number): void
  /**
   * The snapshot's own expiry, where Incus shows the one that the relay set in its place. Null: it shows another one,
   * that somebody has set since, or it isn't known that the relay made it later.
   */
  postponed(subject: string, snapshot: string, shown: number | null): number | null
  /** An expiry then was allowed, earlier than before (milliseconds since the epoch). */
  end(subject: string, snapshot: string, at: number): void
  /** It was lifted again. */
  lasts(subject: string, snapshot: string): void
  /**
   * Names of those that have such an expiry, or whose own one has passed while it was postponed. Until they are known
   * to be gone or to last they are going, whenever that was allowed: Incus may be late, and a copy may postpone it.
   */
  ending(subject: string): ReadonlySet<string>
  /** Incus shows these as their expiries now (milliseconds since the epoch; null: never): what somebody set later counts. */
  shown(subject: string, ends: ReadonlyMap<string, number | null>): void
  /** A look that began then (milliseconds since the epoch) lists these. */
  listed(subject: string, names: ReadonlySet<string>, began: number): void
  /** The most snapshots that were listed of it within the last day. */
  peak(subject: string): number
  /** What is known of an instance of that name which was created then. */
  made(subject: string, since: number | undefined): string | null
  noteMade(subject: string, made: Made): void
  counted(subject: string, snapshots: number): void
  /** Instances that this relay makes for exports. Only those may it delete again. */
  temporaries(): ReadonlyMap<string, TemporaryState>
  /** Written at once; false: it can't be, so nothing may be made. */
  noteTemporary(subject: string, state: TemporaryState): boolean
  dropTemporary(subject: string): void
  /** An export that isn't what was stored, by its key; false: it is, or it is gone. */
  noteBad(key: string, isBad: boolean): void
  isBad(key: string): boolean
}

const DAY = 86_400_000
const LONG_AGO = 7 * DAY
/** What was allowed may be done so much later, and a listing that began before it be noted after it. */
const LATE = 600_000
/** Of a snapshot without an expiry. */
const ENDLESS = -1
/** Of one instance. */
const MOST = 2000

/** The snapshot's own expiry, what was set in its place, and when (milliseconds since the epoch). */
type Postponed = [end: number, until: number, noted: number]
/** An expiry that was allowed, and when. */
type Ending = [end: number, noted: number]

const noStore: JournalStore = { read: () => null, changed: () => {} }

export function createJournal(clock: Clock, store: JournalStore = noStore): Journal {
  const { verified, expired, postponed, ends, peaks, made, temporaries, bad, ...rest } = parseState(
    store.read(),
  )
  const state = (): unknown => ({
    verified: Object.fromEntries([...verified].map(([key, pairs]) => [key, renderVerified(pairs)])),
    expired: Object.fromEntries([...expired].map(([key, ends]) => [key, Object.fromEntries(ends)])),
    postponed: Object.fromEntries([...postponed].map(([key, ends]) => [key, Object.fromEntries(ends)])),
    ends: Object.fromEntries([...ends].map(([key, of]) => [key, Object.fromEntries(of)])),
    peaks: Object.fromEntries(peaks),
    made: Object.fromEntries(made),
    temporaries: Object.fromEntries(temporaries),
    bad: Object.fromEntries(bad),
    ...losses.state(),
  })
  const changed = (): void => store.changed(state)
  const losses = createLosses(clock, rest, changed)
  const changedNow = (): boolean => {
    changed()
    return store.flush?.() ?? true
  }
  const note = (subject: string, pair: SnapshotPair, at: number): void => {
    expired.set(subject, put(expired.get(subject) ?? new Map<string, number>(), renderVerified([pair]), at))
    changed()
  }
  const expiredBy = (subject: string): string[] =>
    [...(expired.get(subject) ?? [])].flatMap(([pair, at]) =>
      at !== ENDLESS && at * 1000 <= clock.now() ? [pair] : [],
    )
  const postponedOn = (subject: string, snapshot: string, shown: number | null): number | null => {
    const [end, until] = postponed.get(subject)?.get(snapshot) ?? []
    if (end === undefined || until === undefined || shown === null) return null
    return secondOf(shown) === secondOf(until) ? end : null
  }
  const isSettled = (noted: number): boolean => clock.now() - noted > LATE
  /** Those for which `isOver` holds. */
  const drop = <At>(of: Map<string, Map<string, At>>, subject: string, isOver: Over<At>): void => {
    const known = of.get(subject)
    const over = [...(known ?? [])].filter(([name, at]) => isOver(name, at))
    for (const [name] of over) known?.delete(name)
    if (known?.size === 0) of.delete(subject)
    if (over.length > 0) changed()
  }
  return {
    losses,
    verified: (subject) => verified.get(subject) ?? [],
    setVerified(subject, pairs) {
      if (isSame(pairs, verified.get(subject) ?? [])) return
      if (pairs.length === 0) verified.delete(subject)
      else verified.set(subject, pairs)
      changed()
    },
    subjects: () => verified.keys(),
    noteExpired: (subject, pair, at = clock.now()) => note(subject, pair, Math.floor(at / 1000)),
    noteEnd(subject, pair, end) {
      const noted = expired.get(subject)?.get(renderVerified([pair]))
      if (noted === undefined || isLater(end ?? ENDLESS, noted)) note(subject, pair, end ?? ENDLESS)
    },
    expired: expiredBy,
    expiredOn: (remote, onCopies) =>
      [...expired.keys()].flatMap((subject) => {
        const there = subject.startsWith(`${remote}/`) ? onCopies.get(subject) : undefined
        if (there === undefined) return []
        const kept = expiredBy(subject).filter((pair) => there.has(pair))
        return kept.map((pair) => `${subject.slice(remote.length + 1)}/${pair}`)
      }),
    tidy(onCopies) {
      const before = clock.now() - LONG_AGO
      for (const [subject, ends] of expired) {
        const there = onCopies.get(subject)
        for (const [pair, at] of ends)
          if (at !== ENDLESS && at * 1000 < before && there?.has(pair) !== true) ends.delete(pair)
        if (ends.size === 0) expired.delete(subject)
      }
      for (const [subject, [, at]] of peaks) if (clock.now() - at > LONG_AGO) peaks.delete(subject)
      for (const [subject, { since, mark }] of made)
        if (mark === '' && since * 1000 < before) made.delete(subject)
    },
    postpone(subject, snapshot, shown, until) {
      // Postponed again, it keeps its own one.
      const end = postponedOn(subject, snapshot, shown) ?? shown
      const known = postponed.get(subject) ?? new Map<string, Postponed>()
      postponed.set(subject, put(known, snapshot, [end, until, clock.now()]))
      changed()
    },
    postponed: postponedOn,
    end(subject, snapshot, at) {
      ends.set(subject, put(ends.get(subject) ?? new Map<string, Ending>(), snapshot, [at, clock.now()]))
      changed()
    },
    lasts: (subject, snapshot) => drop(ends, subject, (name) => name === snapshot),
    ending(subject) {
      const passed = [...(postponed.get(subject) ?? [])].filter(([, [end]]) => end <= clock.now())
      return new Set([...(ends.get(subject)?.keys() ?? []), ...passed.map(([name]) => name)])
    },
    shown(subject, present) {
      drop(ends, subject, (name, [end, noted]) => {
        const at = present.get(name)
        if (at === undefined || !isSettled(noted)) return false
        const own = postponedOn(subject, name, at) ?? at
        return own === null || secondOf(own) > secondOf(end)
      })
      drop(postponed, subject, (name, [, until, noted]) => {
        const at = present.get(name)
        return at !== undefined && isSettled(noted) && (at === null || secondOf(at) !== secondOf(until))
      })
    },
    listed(subject, names, began) {
      // One that isn't listed once, and whose time hasn't come, may be there all the same.
      const isGone = (name: string, end: number, noted: number): boolean =>
        !names.has(name) && noted < began && isSettled(Math.max(end, noted))
      drop(ends, subject, (name, [end, noted]) => isGone(name, end, noted))
      drop(postponed, subject, (name, [end, , noted]) => isGone(name, end, noted))
    },
    peak(subject) {
      return mostOf(peaks.get(subject), 0, clock.now())
    },
    made(subject, since) {
      const known = made.get(subject)
      return known === undefined || known.since !== since ? null : known.mark
    },
    noteMade(subject, one) {
      put(made, subject, one)
      // What follows takes the mark off the instance.
      changedNow()
    },
    counted(subject, snapshots) {
      const before = peaks.get(subject)
      const peak = withListed(before, snapshots, clock.now())
      if (peak === before) return
      peaks.set(subject, peak)
      changed()
    },
    temporaries: () => temporaries,
    noteTemporary(subject, state) {
      put(temporaries, subject, state)
      return changedNow()
    },
    dropTemporary(subject) {
      if (temporaries.delete(subject)) changedNow()
    },
    noteBad(key, isBad) {
      if (isBad === bad.has(key)) return
      if (isBad) put(bad, key, clock.now())
      else bad.delete(key)
      changed()
    },
    isBad: (key) => bad.has(key),
  }
}

const isSame = (pairs: readonly SnapshotPair[], others: readonly SnapshotPair[]): boolean =>
  pairs.length === others.length &&
  pairs.every(([name, at], place) => others[place]?.[0] === name && others[place]?.[1] === at)

const isLater = (end: number, than: number): boolean => than !== ENDLESS && (end === ENDLESS || end > than)

/** The oldest are dropped where there are too many. */
function put<At>(ends: Map<string, At>, key: string, at: At): Map<string, At> {
  ends.delete(key)
  ends.set(key, at)
  for (const oldest of ends.keys()) {
    if (ends.size <= MOST) break
    ends.delete(oldest)
  }
  return ends
}

type Over<At> = (name: string, at: At) => boolean

/** Incus keeps no more of a date everywhere. */
const secondOf = (ms: number): number => Math.floor(ms / 1000)

type State = {
  verified: Map<string, readonly SnapshotPair[]>
  expired: Map<string, Map<string, number>>
  postponed: Map<string, Map<string, Postponed>>
  ends: Map<string, Map<string, Ending>>
  peaks: Map<string, Peak>
  made: Map<string, Made>
  temporaries: Map<string, TemporaryState>
  bad: Map<string, number>
  copyEnds: Map<string, Map<string, number>>
  lost: Map<string, Map<string, number>>
}

/** What can't be read is left out. */
function parseState(stored: unknown): State {
  const entriesOf = (key: string): [string, unknown][] => {
    const part = isObject(stored) ? own(stored, key) : undefined
    return isObject(part) ? Object.entries(part) : []
  }
  const mapsOf = <At>(key: string, read: (value: unknown) => At | null): Map<string, Map<string, At>> =>
    new Map(
      entriesOf(key).flatMap(([subject, ends]) => {
        if (!isObject(ends)) return []
        const known = Object.entries(ends).flatMap(([name, value]): [string, At][] => {
          const at = read(value)
          return at === null ? [] : [[name, at]]
        })
        return [[subject, new Map(known)]]
      }),
    )
  return {
    verified: new Map(
      entriesOf('verified').flatMap(([key, pairs]) => {
        const parsed = parseVerified(text(pairs))
        return parsed.length === 0 ? [] : [[key, parsed] as const]
      }),
    ),
    expired: mapsOf('expired', (at) => (isCount(at) ? at : null)),
    postponed: mapsOf('postponed', readPostponed),
    ends: mapsOf('ends', readEnding),
    copyEnds: mapsOf('copyEnds', (at) => (isCount(at) ? at : null)),
    lost: mapsOf('lost', (at) => (isCount(at) ? at : null)),
    peaks: new Map(entriesOf('peaks').filter((one): one is [string, Peak] => isPair(one[1]))),
    made: new Map(entriesOf('made').filter((one): one is [string, Made] => isMade(one[1]))),
    bad: new Map(entriesOf('bad').filter((one): one is [string, number] => isCount(one[1]))),
    temporaries: new Map(
      entriesOf('temporaries').filter(
        (one): one is [string, TemporaryState] => one[1] === 'making' || one[1] === 'made',
      ),
    ),
  }
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

const isMade = (value: unknown): value is Made =>
  isObject(value) && isCount(value.since) && typeof value.mark === 'string'

const isPair = (value: unknown): value is [number, number] => isCounts(value, 2)

const isCounts = (value: unknown, length: number): value is number[] =>
  Array.isArray(value) && value.length === length && value.every(isCount)

/** Earlier versions didn't note when, and the first ones not what they had set. */
function readPostponed(value: unknown): Postponed | null {
  if (isCounts(value, 3)) return value as Postponed
  return isPair(value) ? [...value, 0] : null
}

/** Earlier versions didn't note when. */
function readEnding(value: unknown): Ending | null {
  if (isPair(value)) return value
  return isCount(value) ? [value, 0] : null
}
