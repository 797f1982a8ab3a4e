/**
 * What the kinds of work find in a run, one after the other: each says what is its own, and one place puts it
 * together.
 */

import type { InstanceRef } from '../incus/subject.ts'
import type { FreezeLedger } from '../ledger/ledger.ts'
import type { Work } from '../ledger/work.ts'
import { merged } from '../own.ts'
import type { AnyAction, Note, SlotPlan, Sorted } from './plan.ts'

/** What blocks other work on a subject or its snapshots, by the subject's key, with the reason. */
export type Guards = {
  /** Nothing else is done to it in this run. */
  busy: ReadonlyMap<string, string>
  /** All its snapshots are needed. */
  blocked: ReadonlyMap<string, string>
  /** Blocked only because work on it starts in this run, after what is removed in it. */
  starting: ReadonlySet<string>
  /** Snapshots that are needed, each with its reason. */
  needed: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Likewise, those that a copy is to keep: without them on the source it would wait. */
  kept: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Its snapshot of the open slot is not there yet. */
  failing: ReadonlySet<string>
  /** Held, though the mark on the instance is missing. */
  held: ReadonlyMap<string, ReadonlySet<string>>
  /** `subject key/snapshot` of what may be partial. */
  incomplete: ReadonlySet<string>
}

/** A snapshot of a slot that is over, whose creation had an unknown outcome. */
export type PartialSnapshot = { ref: InstanceRef; policy: string; snapshot: string }

export type Found = Guards & {
  actions: readonly AnyAction[]
  notes: readonly Note[]
  slots: readonly SlotPlan[]
  /** `policy subject key` of snapshots that are taken in this run. */
  taking: ReadonlySet<string>
  /** Snapshots that may be removed as soon as nothing needs them. */
  partials: readonly PartialSnapshot[]
  /** Long work, by its key; null: it is forgotten. */
  work: Readonly<Record<string, Work | null>>
  /** Instances that our work may freeze from now on, by key. */
  frozen: Readonly<Record<string, FreezeLedger>>
  /** What the brake holds back, by `copy` or `expiry` and what it is about, each with the reason (see brake.ts). */
  braked: Readonly<Record<string, string>>
  /** Since when an expiry waits for something else, by its key. */
  stalled: Readonly<Record<string, string>>
  /** Names that somebody allowed to go, by the key of their expiry. */
  allowed: Readonly<Record<string, string>>
  /** What a look into a store has shown of a policy's exports, by `policy instance key>store`. */
  sorted: Readonly<Record<string, Sorted>>
  /** Moments to look again at (ISO 8601). */
  wake: readonly string[]
}

/** The parts that one kind has found. */
export type Finding = { [Part in keyof Found]?: Found[Part] }

type Merge = { [Part in keyof Found]: (said: readonly Found[Part][]) => Found[Part] }

const all = <Item>(lists: readonly (readonly Item[])[]): Item[] => lists.flat()
const union = <Item>(sets: readonly ReadonlySet<Item>[]): Set<Item> =>
  new Set(sets.flatMap((set) => [...set]))
const joined = <Value>(maps: readonly ReadonlyMap<string, Value>[]): Map<string, Value> =>
  new Map(maps.flatMap((map) => [...map]))
const assigned = <Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> =>
  merged(...records)

function reasoned(maps: readonly Guards['needed'][]): Guards['needed'] {
  const of = new Map<string, Map<string, string>>()
  for (const [key, snapshots] of maps.flatMap((map) => [...map]))
    of.set(key, new Map([...(of.get(key) ?? []), ...snapshots]))
  return of
}

function held(maps: readonly Guards['held'][]): Guards['held'] {
  const of = new Map<string, Set<string>>()
  for (const [key, snapshots] of maps.flatMap((map) => [...map]))
    of.set(key, new Set([...(of.get(key) ?? []), ...snapshots]))
  return of
}

/** Of one key said twice, the later one holds; which snapshots are needed or held is said by both. */
const MERGE: Merge = {
  actions: all,
  notes: all,
  slots: all,
  partials: all,
  wake: all,
  taking: union,
  starting: union,
  failing: union,
  incomplete: union,
  busy: joined,
  blocked: joined,
  needed: reasoned,
  kept: reasoned,
  held,
  work: assigned,
  frozen: assigned,
  braked: assigned,
  stalled: assigned,
  allowed: assigned,
  sorted: assigned,
}

/** Several findings as one. There may be thousands, so only what is said is gone through. */
export function combine(findings: readonly Finding[]): Finding {
  const said = new Map<keyof Found, unknown[]>()
  for (const finding of findings)
    for (const [part, value] of Object.entries(finding) as [keyof Found, unknown][]) {
      const known = said.get(part)
      if (known === undefined) said.set(part, [value])
      else known.push(value)
    }
  const merged = [...said].map(([part, values]) => {
    const merge = MERGE[part] as (values: readonly unknown[]) => unknown
    return [part, values.length === 1 ? values[0] : merge(values)] as const
  })
  return Object.fromEntries(merged) as Finding
}

const NOTHING = Object.fromEntries(
  Object.entries(MERGE).map(([part, merge]) => [part, (merge as (values: []) => unknown)([])]),
) as Found

/** All parts, empty where nothing was found. */
export const gather = (findings: readonly Finding[]): Found => ({ ...NOTHING, ...combine(findings) })
