/** What the relay's journal holds, and how it is read from its file. What can't be read is left out. */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import type { Peak } from '../../shared/incus/pace.ts'
import { own } from '../../shared/own.ts'
import { parseVerified, renderVerified } from '../../shared/work/copy/marks.ts'
import { isObject, text } from './envelope.ts'

/** Whether an instance for an export is known to be there: while it is made no file of it can exist. */
export type TemporaryState = 'making' | 'made'

/** Of an instance that the relay made from a snapshot: what it has no mark for. */
export type Made = {
  /** When Incus created it, in seconds since the epoch: another one of its name has another date. */
  since: number
  /** The mark that a restore takes off it; empty: it is finished. */
  mark: string
}

/**
 * Snapshots of several subjects that are taken as one. Keys of subjects; `since` in milliseconds since the epoch. `mine`: those
 * of which one may be there; absent: all. `asked`: when the snapshots were asked for. `hook`: what makes them ready for it.
 */
export type NotedGroup = {
  members: string[]
  mine?: string[]
  paused: string[]
  since: number
  asked?: number
  hook?: string
}

/** Commands of a hook that were begun in an instance, by their operations; empty: one whose operation isn't known. */
export type Execs = { since: number; operations: string[] }

/** The snapshot's own expiry, what was set in its place, and when (milliseconds since the epoch). */
export type Postponed = [end: number, until: number, noted: number]
/** An expiry that was allowed, and when. */
export type Ending = [end: number, noted: number]

export type State = {
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
  /** By key of the first member, and the snapshot's name. */
  groups: Map<string, NotedGroup>
  /** When the pauses began that are over, by subject (milliseconds since the epoch). */
  resumed: Map<string, number>
  /** By subject. */
  execs: Map<string, Execs>
}

export function parseState(stored: unknown): State {
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
    groups: new Map(entriesOf('groups').filter((one): one is [string, NotedGroup] => isGroup(one[1]))),
    resumed: new Map(entriesOf('resumed').filter((one): one is [string, number] => isCount(one[1]))),
    execs: new Map(entriesOf('execs').filter((one): one is [string, Execs] => isExecs(one[1]))),
  }
}

/** As it is written. */
export const renderState = (state: Omit<State, 'copyEnds' | 'lost'>): Record<string, unknown> => ({
  verified: Object.fromEntries([...state.verified].map(([key, pairs]) => [key, renderVerified(pairs)])),
  expired: recordOf(state.expired),
  postponed: recordOf(state.postponed),
  ends: recordOf(state.ends),
  peaks: Object.fromEntries(state.peaks),
  made: Object.fromEntries(state.made),
  temporaries: Object.fromEntries(state.temporaries),
  bad: Object.fromEntries(state.bad),
  groups: Object.fromEntries(state.groups),
  resumed: Object.fromEntries(state.resumed),
  execs: Object.fromEntries(state.execs),
})

const recordOf = <At>(of: ReadonlyMap<string, ReadonlyMap<string, At>>): Record<string, unknown> =>
  Object.fromEntries([...of].map(([key, ends]) => [key, Object.fromEntries(ends)]))

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

const isMade = (value: unknown): value is Made =>
  isObject(value) && isCount(value.since) && typeof value.mark === 'string'

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

const isGroup = (value: unknown): value is NotedGroup =>
  isObject(value) &&
  isNames(value.members) &&
  (value.mine === undefined || isNames(value.mine)) &&
  isNames(value.paused) &&
  isCount(value.since) &&
  (value.asked === undefined || isCount(value.asked)) &&
  (value.hook === undefined || typeof value.hook === 'string')

const isExecs = (value: unknown): value is Execs =>
  isObject(value) && isCount(value.since) && isNames(value.operations)

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
