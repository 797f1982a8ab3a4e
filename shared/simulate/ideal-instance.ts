/** An instance or a copy on the servers of a simulation: its snapshots, and when each of them goes. */
import type { InstanceRecord, SnapshotPair } from '../incus/inventory.ts'
import { leastOf, mostOf, type Peak, withListed } from '../incus/pace.ts'
import { samePair } from '../incus/pairs.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import { removedOn, renderUndo, UNDO, undoableOn } from '../policy/marks.ts'

export type IdealInstance = {
  remote: string
  record: InstanceRecord
  /** When Incus removes each of its snapshots, in milliseconds since the epoch; absent: never. */
  ends: Map<string, number>
  /** Their own ends, of those that are postponed. */
  postponed: Map<string, number>
  peak: Peak
  /** Removed with an end that is to come, each with the reason. */
  going: Map<string, string>
  /** So many of those that were listed last are left. */
  left: number
}

export const keyOf = (remote: string, { project, name }: InstanceRecord): string =>
  subjectKey({ remote, project, instance: name })

/** As it was observed at the start. */
export function observedInstance(remote: string, record: InstanceRecord, start: Date): IdealInstance {
  const listed = record.snapshots?.length ?? 0
  const gone = [...removedOn(record, start)]
  return {
    remote,
    record,
    ends: new Map(gone.map(([name, { end }]) => [name, end])),
    postponed: new Map(),
    peak: [listed, start.getTime()],
    going: new Map(gone.map(([name]) => [name, REMOVED])),
    left: listed - gone.length,
  }
}

/** Stopped, and without a snapshot yet. */
export function newCopy(
  { project, instance: name, remote }: InstanceRef,
  type: InstanceRecord['type'],
  pool: string,
  now: Date,
): IdealInstance {
  return {
    remote,
    record: {
      ...{ project, name, type, status: 'Stopped', location: 'none' },
      ...{ pool, config: {}, own: [], snapshots: [] },
    },
    ends: new Map(),
    postponed: new Map(),
    peak: [0, now.getTime()],
    going: new Map(),
    left: 0,
  }
}

const REMOVED = 'it was removed, and nobody took that back'

export const pairOn = ({ record }: IdealInstance, snapshot: string): SnapshotPair | undefined =>
  record.snapshots?.find(([name]) => name === snapshot)

/** The relay lists it. */
export function list(one: IdealInstance, now: Date): void {
  const listed = one.record.snapshots?.length ?? 0
  one.left = listed - one.going.size
  one.peak = withListed(one.peak, listed, now.getTime())
}

/** So many have gone within a day that the relay leaves the rest. */
export const isPaced = ({ peak, left }: IdealInstance, now: Date): boolean =>
  left - 1 < leastOf(mostOf(peak, left, now.getTime()))

/** Names of what has reached its end by then, each with the end and, where it was removed, the reason. */
export const endedOn = ({ ends, going }: IdealInstance, now: Date): [string, number, string | undefined][] =>
  [...ends].filter(([, at]) => at <= now.getTime()).map(([name, at]) => [name, at, going.get(name)])

export function addSnapshot(one: IdealInstance, snapshot: string, expiresAt: string | null, now: Date): void {
  const pair: SnapshotPair = [snapshot, Math.floor(now.getTime() / 1000)]
  one.record = { ...one.record, snapshots: [...(one.record.snapshots ?? []), pair] }
  if (expiresAt !== null) one.ends.set(snapshot, Date.parse(expiresAt))
}

export function dropSnapshot(one: IdealInstance, pair: SnapshotPair): void {
  const { record } = one
  one.record = { ...record, snapshots: (record.snapshots ?? []).filter((other) => !samePair(other, pair)) }
  one.ends.delete(pair[0])
  one.going.delete(pair[0])
}

export function setEnd(one: IdealInstance, snapshot: string, expiresAt: string | null): void {
  if (one.going.has(snapshot)) return
  if (expiresAt === null) one.ends.delete(snapshot)
  else one.ends.set(snapshot, Date.parse(expiresAt))
}

export function postponeEnd(one: IdealInstance, snapshot: string, until: string): void {
  const end = one.ends.get(snapshot)
  if (end === undefined || end >= Date.parse(until)) return
  if (!one.postponed.has(snapshot)) one.postponed.set(snapshot, end)
  one.ends.set(snapshot, Date.parse(until))
}

export function restoreEnd(one: IdealInstance, snapshot: string): void {
  const end = one.postponed.get(snapshot)
  if (end === undefined) return
  one.postponed.delete(snapshot)
  one.ends.set(snapshot, end)
}

/** It goes at that time, and says so. */
export function removeAt(one: IdealInstance, snapshot: string, end: string, reason: string): void {
  one.left -= 1
  one.going.set(snapshot, reason)
  const before = one.ends.get(snapshot) ?? null
  one.ends.set(snapshot, Date.parse(end))
  setConfig(one, { [`${UNDO}${snapshot}`]: renderUndo({ end: Date.parse(end), before }) })
}

/** It has the end again that it had before that. */
export function takeBackOn(one: IdealInstance, snapshot: string): void {
  const before = undoableOn(one.record).get(snapshot)?.before ?? null
  one.going.delete(snapshot)
  one.postponed.delete(snapshot)
  if (before === null) one.ends.delete(snapshot)
  else one.ends.set(snapshot, before)
  setConfig(one, { [`${UNDO}${snapshot}`]: '' })
}

/** An empty value unsets its key. */
export function setConfig(one: IdealInstance, config: Readonly<Record<string, string>>): void {
  const { record } = one
  const set = Object.entries({ ...record.config, ...config }).filter(([, value]) => value !== '')
  const own = new Set([...record.own, ...Object.keys(config)])
  const known = Object.fromEntries(set)
  one.record = { ...record, config: known, own: [...own].filter((key) => Object.hasOwn(known, key)) }
}
