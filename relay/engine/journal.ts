/**
 * What the relay remembers beside Incus, over its restarts: which snapshots it saw verified, which it removed
 * itself, and how many an instance had. It only ever makes the relay more careful: without it the marks on the
 * copies still count (docs/security.md says what is lost with it).
 */
import type { Clock } from '../../shared/clock.ts'
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { mostOf, withListed } from '../../shared/incus/pace.ts'
import { renderVerified } from '../../shared/work/copy/marks.ts'
import { type ExecNotes, execNotes } from './exec-notes.ts'
import {
  type Ending,
  type Made,
  type NotedGroup,
  type Postponed,
  parseState,
  renderState,
  type TemporaryState,
} from './journal-state.ts'
import { createLosses, type Losses } from './losses.ts'

/** Where it is kept. `changed` gets a function that gives the present state, as JSON. */
export type JournalStore = {
  read(): unknown
  changed(state: () => unknown): void
  /** Writes at once what has changed; false: it can't. Absent: nothing waits to be written. */
  flush?(): boolean
}

export type Journal = ExecNotes & {
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
  /** Groups that aren't over, by the key of their first member and the snapshot's name. */
  groups(): ReadonlyMap<string, NotedGroup>
  /** Written at once; false: it can't be, so nothing may be paused. */
  noteGroup(id: string, group: NotedGroup): boolean
  dropGroup(id: string): void
  /** A pause of it that began then is over (milliseconds since the epoch): its mark means nothing any more. */
  noteResumed(subject: string, since: number): void
  /** When the last such pause began; 0: none is known. */
  resumed(subject: string): number
}

const DAY = 86_400_000
const LONG_AGO = 7 * DAY
/** What was allowed may be done so much later, and a listing that began before it be noted after it. */
const LATE = 600_000
/** Of a snapshot without an expiry. */
const ENDLESS = -1
/** Of one instance. */
const MOST = 2000

const noStore: JournalStore = { read: () => null, changed: () => {} }

export function createJournal(clock: Clock, store: JournalStore = noStore): Journal {
  const known = parseState(store.read())
  const {
    verified,
    expired,
    postponed,
    ends,
    peaks,
    made,
    temporaries,
    bad,
    groups,
    resumed,
    execs,
    ...rest
  } = known
  const state = (): unknown => ({ ...renderState(known), ...losses.state() })
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
    groups: () => groups,
    noteGroup(id, group) {
      put(groups, id, group)
      return changedNow()
    },
    dropGroup(id) {
      if (groups.delete(id)) changedNow()
    },
    noteResumed(subject, since) {
      put(resumed, subject, Math.max(since, resumed.get(subject) ?? 0))
      changed()
    },
    ...execNotes(execs, changedNow),
    resumed: (subject) => resumed.get(subject) ?? 0,
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
