/**
 * Incus's own scheduler, watched: which of its slots it served, by the snapshots that are there. It makes nothing up, and
 * tells nobody.
 */
import type { InstanceRecord, RemoteInventory } from '../incus/inventory.ts'
import { refuseSnapshots } from '../incus/project-rules.ts'
import { ownSnapshot } from '../incus/snapshot-name.ts'
import { subjectKey } from '../incus/subject.ts'
import type { OwnLedger, SlotRecord } from '../ledger/ledger.ts'
import { isUnserved, pushSlot } from '../ledger/slots.ts'
import { own } from '../own.ts'
import type { World } from '../plan/world.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import { isExcluded } from '../policy/misplaced.ts'
import { isVolume } from '../policy/volumes.ts'
import { type Due, dueBetween, MINUTE, nextDue, type Seen, servedOf } from './due.ts'
import { namedBy, readForm } from './form.ts'

type Before = Readonly<Record<string, OwnLedger>> | undefined

/** `wake`: when to look again (ISO 8601). */
export type Watched = { incus: Record<string, OwnLedger>; wake: string[] }

/** Of a remote without an answer, what was known before. */
export function watchSchedules(world: Pick<World, 'remotes'>, before: Before, now: Date): Watched {
  const incus: [string, OwnLedger][] = []
  const wake: string[] = []
  for (const [remote, reply] of Object.entries(world.remotes)) {
    const known = own(before, remote)
    if (reply.ok) {
      const watched = watchOne(remote, reply.inventory, known, now)
      if (watched.ledger !== null) incus.push([remote, watched.ledger])
      wake.push(...watched.wake)
    } else if (known !== undefined) incus.push([remote, known])
  }
  return { incus: Object.fromEntries(incus), wake }
}

const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** A slot may be judged so long after it at the earliest. */
const GRACE = MINUTE
/** A batch that runs may still take what is due. */
const BATCH = 10 * MINUTE
/** Later no snapshot is taken for the one of a missed slot. */
const DOUBT = HOUR + 15 * MINUTE
/** Records stay so long after the last subject is gone. */
const KEPT = 30 * DAY
/** What is due in so short a time is waited for without noting that. */
const SOON = 4 * MINUTE

type Ended = { slot: number; key: string; reason: string | null }

function watchOne(
  remote: string,
  inventory: RemoteInventory,
  before: OwnLedger | undefined,
  now: Date,
): { ledger: OwnLedger | null; wake: string[] } {
  const { skew = 0, zone = before?.zone } = inventory.server
  const clock = now.getTime() + skew * 1000
  const until = clock - (isBatch(inventory) ? BATCH : GRACE)
  const upTo = Math.max(until, Date.parse(before?.upTo ?? iso(until)))
  const watching = { remote, inventory, before, zone, clock, until }
  const found = inventory.instances.flatMap((record) => watchSubject(record, watching) ?? [])
  const slots = recorded(
    before?.slots ?? [],
    found.flatMap(({ ended }) => ended),
  )
  const newest = Date.parse(slots[0]?.slot ?? iso(0))
  if (found.length === 0 && clock - newest > KEPT) return { ledger: null, wake: [] }
  const next = Math.min(...found.flatMap(({ next }) => (next === null ? [] : [next])))
  const due = isBatch(inventory) ? now.getTime() : next + GRACE - skew * 1000
  const soon = due - now.getTime() < SOON ? now.getTime() + MINUTE : due
  return {
    ledger: {
      upTo: iso(upTo),
      subjects: Object.fromEntries(found.map(({ key, subject }) => [key, subject])),
      ...(zone === undefined ? {} : { zone }),
      slots,
    },
    wake: Number.isFinite(soon) ? [iso(soon)] : [],
  }
}

const iso = (at: number): string => new Date(at).toISOString()

/** The scheduler's own operation names nothing that it works on. */
const isBatch = ({ operations }: RemoteInventory): boolean =>
  operations.some(
    ({ description, instances, snapshots }) =>
      /snapshot/i.test(description) && instances.length + snapshots.length === 0,
  )

type Watching = {
  remote: string
  inventory: RemoteInventory
  before: OwnLedger | undefined
  zone: number | undefined
  /** The server's own, in milliseconds. */
  clock: number
  until: number
}

type Subject = { key: string; subject: OwnLedger['subjects'][string]; ended: Ended[]; next: number | null }

/** Null: Incus takes none of it by itself, or nobody wants to know. */
function watchSubject(record: InstanceRecord, watching: Watching): Subject | null {
  const { remote, before, zone, clock, until } = watching
  const { scheduled, project, name } = record
  if (scheduled === undefined || record.own.includes(REPLICA_OF) || isExcluded(record)) return null
  const key = subjectKey({ remote, project, instance: name })
  const former = own(before?.subjects, key)
  const { schedule } = scheduled
  // Of slots before it was seen nothing is known.
  const known: OwnLedger['subjects'][string] =
    former?.schedule === schedule ? former : { schedule, since: iso(clock) }
  const form = readForm(schedule)
  const lags =
    record.snapshots === null || !(isVolume(record) || /^(Running|Frozen|Stopped)$/.test(record.status))
  const { upTo: _, missed: told, dead: __, ...same } = { ...known }
  const behind = known.upTo ?? before?.upTo ?? known.since
  const dead = form.dead.map(({ part }) => part)
  const subject = {
    ...same,
    ...(lags ? { upTo: behind } : {}),
    ...(dead.length === 0 ? {} : { dead }),
  }
  if (zone === undefined) return { key, subject: withMissed(subject, told, []), ended: [], next: null }
  const seen: Seen = {
    form,
    offset: zone * MINUTE,
    taken: takenOf(record),
    started: scheduled.started === undefined ? null : scheduled.started * 1000,
  }
  const after = Math.max(Date.parse(behind), Date.parse(known.since))
  const ended = lags ? [] : judge(key, record, seen, { ...watching, after, since: Date.parse(known.since) })
  const next = nextDue(seen, Math.max(until, after))
  return { key, subject: withMissed(subject, told, ended), ended, next }
}

/** By the newest slot that is over. */
function withMissed(
  subject: OwnLedger['subjects'][string],
  told: string | undefined,
  ended: readonly Ended[],
): OwnLedger['subjects'][string] {
  const newest = ended.at(-1)
  const isLater = newest !== undefined && iso(newest.slot) >= (told ?? '')
  const missed = isLater ? (newest.reason === null ? undefined : iso(newest.slot)) : told
  return missed === undefined ? subject : { ...subject, missed }
}

/** Those that Incus named by its pattern, oldest first. */
function takenOf({ scheduled, snapshots }: InstanceRecord): number[] {
  const isNamed = namedBy(scheduled?.pattern)
  return (snapshots ?? [])
    .flatMap((pair) => (ownSnapshot(pair) === null && isNamed(pair[0]) ? [pair[1] * 1000] : []))
    .sort((a, b) => a - b)
}

/** What came due since the last look, and what was missed lately: a large batch may have taken it since. */
function judge(
  key: string,
  record: InstanceRecord,
  seen: Seen,
  { before, inventory, after, since, until }: Watching & { after: number; since: number },
): Ended[] {
  const missed = (before?.slots ?? [])
    .filter(({ failures = [] }) => failures.some(({ instance }) => instance === key))
    .map(({ slot }) => Date.parse(slot))
    .filter((slot) => until - slot < DOUBT)
  const from = Math.min(after, ...missed.map((slot) => slot - 1))
  // Slots before have their snapshots, too.
  const dues = dueBetween(seen, from - DOUBT, until)
  const served = servedOf(dues, seen.taken)
  const forbidden = refuseSnapshots(record.project, own(inventory.projectRules, record.project))
  return (
    dues
      .filter(({ slot }) => slot > after || missed.includes(slot))
      // What began before the schedule was seen had perhaps another.
      .filter((one) => (one.start === true ? one.slot : one.from + 2 * MINUTE) >= since && mayBe(record, one))
      .filter(({ slot }) => served.has(slot) || !isOver(record, slot, until))
      .map(({ slot }) => ({ slot, key, reason: served.has(slot) ? null : (forbidden ?? NONE) }))
  )
}

const NONE = 'Incus took no snapshot of it at its own slot, and makes none up'

/** Incus leaves out what doesn't run in that minute, unless `snapshots.schedule.stopped` is set. */
function mayBe(record: InstanceRecord, { slot, from, start }: Due): boolean {
  const { scheduled, status } = record
  const started = (scheduled?.started ?? 0) * 1000
  if (isVolume(record) || scheduled?.stopped === true || start === true) return true
  return status !== 'Stopped' && started <= Math.min(from, slot - MINUTE)
}

/** Its snapshot may have expired by now, so that it isn't known whether it was taken. */
function isOver({ scheduled }: InstanceRecord, slot: number, until: number): boolean {
  const hours = shortestHours(scheduled?.expiry ?? '')
  return hours !== null && slot + hours * HOUR <= until
}

const HOURS: Readonly<Record<string, number>> = {
  S: 1 / 3600,
  M: 1 / 60,
  H: 1,
  d: 24,
  w: 168,
  m: 672,
  y: 8760,
}

/** Of an expiry of Incus, at least; null: never. */
function shortestHours(expiry: string): number | null {
  const parts = [...expiry.matchAll(/(\d+)([SMHdwmy])/g)]
  if (parts.length === 0) return null
  return parts.reduce((sum, [, digits, unit = '']) => sum + Number(digits) * (HOURS[unit] ?? 0), 0)
}

/** Of one look, so many slots are noted one by one. */
const SINGLY = 20

function recorded(before: readonly SlotRecord[], ended: readonly Ended[]): SlotRecord[] {
  const bySlot = new Map<number, Ended[]>()
  for (const one of ended) bySlot.set(one.slot, [...(bySlot.get(one.slot) ?? []), one])
  const known = new Map(before.map((record) => [record.slot, record]))
  const fresh = [...bySlot].toSorted(([a], [b]) => b - a)
  for (const [slot, all] of fresh.slice(0, SINGLY)) {
    const at = iso(slot)
    known.set(at, withEnded(known.get(at) ?? { slot: at, outcome: 'served', served: 0 }, all))
  }
  const rest = together(fresh.slice(SINGLY))
  // What was served goes first where there is no room.
  const all = [...known.values(), ...rest].toSorted((a, b) => Number(isUnserved(b)) - Number(isUnserved(a)))
  return all.slice(0, ROOM).reduce<SlotRecord[]>((list, record) => pushSlot(list, record), [])
}

/** Records of a remote. */
const ROOM = 100

function withEnded(record: SlotRecord, ended: readonly Ended[]): SlotRecord {
  const { slot, reason: _, failures: former = [], served = 0, ...rest } = record
  const now = new Map(ended.map((one) => [one.key, one.reason]))
  const left = former.filter(({ instance }) => !now.has(instance))
  const bad = ended.flatMap(({ key, reason }) => (reason === null ? [] : [{ instance: key, reason }]))
  const good = served + ended.filter(({ reason }) => reason === null).length
  const failures = [...left, ...bad]
  if (failures.length === 0) return { ...rest, slot, outcome: 'served', served: good }
  const why =
    good === 0
      ? ''
      : `. Of ${good + failures.length} due in that minute it took ${good}: one that fails ends the others' too`
  return {
    ...rest,
    slot,
    outcome: 'missed',
    served: good,
    failures,
    reason: `${failures[0]?.reason ?? ''}${why}`,
  }
}

/** Many at once, as after a server was down: those that were missed are one record. */
function together(slots: readonly [number, Ended[]][]): SlotRecord[] {
  const missed = slots.filter(([, all]) => all.some(({ reason }) => reason !== null))
  const [newest, oldest] = [missed[0], missed.at(-1)]
  if (newest === undefined || oldest === undefined) return []
  const failures = new Map(
    missed.flatMap(([, all]) =>
      all.flatMap(({ key, reason }) => (reason === null ? [] : [[key, reason] as const])),
    ),
  )
  return [
    {
      ...{ slot: iso(oldest[0]), outcome: 'missed', served: 0, reason: NONE },
      failures: [...failures].map(([instance, reason]) => ({ instance, reason })),
      ...(missed.length === 1 ? {} : { through: iso(newest[0]), count: missed.length }),
    },
  ]
}
