/** What the kinds of work find in a run, one after the other: each says what is its own, and one place puts it together. */

import type { InstanceRef } from '../incus/subject.ts'
import type { FreezeLedger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import type { AnyAction, Note, SlotPlan } from './plan.ts'

/** What keeps others from a subject or its snapshots, by the subject's key, with the reason. */
export type Guards = {
  /** Nothing else is done to it in this run. */
  busy: ReadonlyMap<string, string>
  /** All its snapshots are needed. */
  blocked: ReadonlyMap<string, string>
  /** Blocked only because work on it starts in this run, after what is removed in it. */
  starting: ReadonlySet<string>
  /** Snapshots that are needed, each with its reason. */
  needed: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Its snapshot of the open slot is not there yet. */
  failing: ReadonlySet<string>
  /** Held all the same, though the instance doesn't say so. */
  held: ReadonlyMap<string, ReadonlySet<string>>
  /** `subject key/snapshot` of what may be partial. */
  incomplete: ReadonlySet<string>
}

/** A snapshot of a slot that is over, of which nobody saw the end. */
export type PartialSnapshot = { ref: InstanceRef; policy: string; snapshot: string }

export type Found = Guards & {
  actions: readonly AnyAction[]
  notes: readonly Note[]
  slots: readonly SlotPlan[]
  /** `policy subject key` of snapshots that are taken in this run. */
  taking: ReadonlySet<string>
  /** What may go as soon as nothing needs it. */
  partials: readonly PartialSnapshot[]
  /** Long work, by its key; null: it is forgotten. */
  work: Readonly<Record<string, Work | null>>
  /** What may be frozen by us from now on, by instance key. */
  frozen: Readonly<Record<string, FreezeLedger>>
  /** Moments to look again at (ISO 8601). */
  wake: readonly string[]
}

/** As much of it as one of them has to say. */
export type Finding = { [Part in keyof Found]?: Found[Part] }

const union = <Item>(sets: readonly (ReadonlySet<Item> | undefined)[]): Set<Item> =>
  new Set(sets.flatMap((set) => (set === undefined ? [] : [...set])))

const joined = <Value>(maps: readonly (ReadonlyMap<string, Value> | undefined)[]): Map<string, Value> =>
  new Map(maps.flatMap((map) => (map === undefined ? [] : [...map])))

/** Of one key said twice, the later one holds; what of two says which snapshots is said by both. */
export function gather(findings: readonly Finding[]): Found {
  return {
    actions: findings.flatMap(({ actions = [] }) => actions),
    notes: findings.flatMap(({ notes = [] }) => notes),
    slots: findings.flatMap(({ slots = [] }) => slots),
    partials: findings.flatMap(({ partials = [] }) => partials),
    wake: findings.flatMap(({ wake = [] }) => wake),
    taking: union(findings.map(({ taking }) => taking)),
    starting: union(findings.map(({ starting }) => starting)),
    failing: union(findings.map(({ failing }) => failing)),
    incomplete: union(findings.map(({ incomplete }) => incomplete)),
    busy: joined(findings.map(({ busy }) => busy)),
    blocked: joined(findings.map(({ blocked }) => blocked)),
    needed: nested(findings.map(({ needed }) => needed)),
    held: heldIn(findings),
    work: Object.assign({}, ...findings.map(({ work }) => work)),
    frozen: Object.assign({}, ...findings.map(({ frozen }) => frozen)),
  }
}

function nested(maps: readonly (Guards['needed'] | undefined)[]): Guards['needed'] {
  const all = new Map<string, Map<string, string>>()
  for (const map of maps)
    for (const [key, inner] of map ?? []) {
      const known = all.get(key)
      if (known === undefined) all.set(key, new Map(inner))
      else for (const [snapshot, reason] of inner) known.set(snapshot, reason)
    }
  return all
}

function heldIn(findings: readonly Finding[]): Guards['held'] {
  const all = new Map<string, Set<string>>()
  for (const { held = [] } of findings)
    for (const [key, snapshots] of held) all.set(key, new Set([...(all.get(key) ?? []), ...snapshots]))
  return all
}
