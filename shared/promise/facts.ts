/** What the looks have shown of each promise, as KV remembers it: the judgement needs no call to Incus. They stand beside the ledger: a tick that read an old
 * ledger must not write that one again for their sake. */
import * as z from 'zod/mini'
import type { SnapshotPair } from '../incus/inventory.ts'
import { count, isObject, type Lose, mapOf, moment, partOf } from '../ledger/parts.ts'
import { own } from '../own.ts'
import type { PromiseKind } from './terms.ts'

/** Of one instance under one policy. Snapshots are `name@seconds`. */
export type Fact = {
  /** The newest whole snapshot of the policy. */
  taken?: string
  /** The newest one before, where no later one of the policy is left; and when that was seen. */
  gone?: string
  goneAt?: string
  /** Key of its copy, which `copied` and `lost` are about. */
  place?: string
  /** Its own key says that it has no copy, though the policy has. */
  uncopied?: true
  /** It isn't exported, though its policy exports: a volume of a cluster's member, by an earlier version any volume. */
  unexported?: true
  /** It has no snapshots: a bucket, which is only exported. */
  unsnapped?: true
  /** The newest verified snapshot that its copy lists. */
  copied?: string
  /** The newest verified one before, which its copy lists no longer though nothing of stapes removes it; and when that was seen. */
  lost?: string
  lostAt?: string
  /** Others that were verified and vanished there within a day, separated by spaces. */
  missing?: string
  /** Name of the store that the following is about. */
  store?: string
  /** The newest export that the store holds: its name, the snapshot in it, and when it was made. */
  exportName?: string
  exported?: string
  exportedAt?: string
  /** Likewise before, where the store has none any more; and when that was seen. */
  exportGone?: string
  exportGoneAt?: string
  /** Since when there is a newer snapshot than it holds. Absent: there is none. */
  exportDue?: string
  /** When the store was looked into, and when it could not be read last, if that was later. */
  exportSeen?: string
  exportUnread?: string
  /** When the newest one was read again last and was what was stored. */
  checkedAt?: string
  /** Name of the last one that was not. */
  exportBad?: string
  /** When all that the store has of it was looked at last, for what no rule keeps; and when that is due again. */
  exportSorted?: string
  exportNext?: string
  /** So many looks in a row have shown something that was to go. */
  exportTries?: number
  /** Names of those, with spaces between them. */
  exportGoing?: string
  /** What was there then and is no export though it looks like one, in words. */
  exportStrays?: string
  /** Since when it is covered; kept until all is there that is promised. */
  since?: string
  /** Since when its promises are judged. */
  watched?: string
  /** Until when it is kept at least, because of the policy's terms before, or of a newer one that is gone; see owed.ts. */
  owed?: Partial<Record<PromiseKind, string>>
  /** From when to when they were not kept, see history.ts. */
  gaps?: Partial<Record<PromiseKind, [from: number, to: number][]>>
  /** Since when its snapshots, or its copy's, couldn't be listed. */
  unseen?: string
}

/** What a policy promised at the last look, as far as it decides until when a snapshot keeps that. */
export type Terms = {
  schedule: string[]
  timezone: string
  /** Seconds. */
  jitter: number
  /** Seconds; null: by the schedule. */
  promise?: { snapshot: number | null; copy: number | null; export?: number | null }
  paused: boolean
  /** Whether it has a copy. */
  copies: boolean
  /** Absent: it has no exports. */
  export?: { schedule: string[] }
}

export type Facts = {
  /** The last look that was noted (ISO 8601). */
  at: string
  /** By policy, then by instance key. */
  subjects: Record<string, Record<string, Fact>>
  /** Of each policy that was looked at. */
  terms?: Record<string, Terms>
  /** Remotes that gave no answer at the last look: since when, why, and by which code; `relay`: nobody could ask them. */
  silent?: Record<string, { since: string; reason: string; code?: string }>
  /** Of each remote what the last glance that led to a look had shown, see glance.ts. */
  glances?: Record<string, string>
  /** Instances that no policy covers and nobody has excluded: names separated by spaces, by `remote/project`. */
  uncovered?: Record<string, string>
  /** Instances that somebody has left out: their keys, separated by spaces, by who or what did. */
  leftOut?: Record<string, string>
  /** Covered instances of which Incus takes snapshots by itself as well: likewise, by `schedule / expiry`. */
  scheduled?: Record<string, string>
}

const may = z.exactOptional
const text = z.string()

const gapsSchema = may(z.array(z.tuple([z.int(), z.int()])))

const factSchema: z.ZodMiniType<Fact> = z.looseObject({
  taken: may(text),
  gone: may(text),
  goneAt: may(moment),
  place: may(text),
  uncopied: may(z.literal(true)),
  unexported: may(z.literal(true)),
  unsnapped: may(z.literal(true)),
  copied: may(text),
  lost: may(text),
  lostAt: may(moment),
  missing: may(text),
  store: may(text),
  exportName: may(text),
  exported: may(text),
  exportedAt: may(moment),
  exportGone: may(text),
  exportGoneAt: may(moment),
  exportDue: may(moment),
  exportSeen: may(moment),
  exportUnread: may(moment),
  checkedAt: may(moment),
  exportBad: may(text),
  exportSorted: may(moment),
  exportNext: may(moment),
  exportTries: may(count),
  exportGoing: may(text),
  exportStrays: may(text),
  since: may(moment),
  unseen: may(moment),
  watched: may(moment),
  owed: may(z.object({ snapshot: may(moment), copy: may(moment), export: may(moment) })),
  gaps: may(z.object({ snapshot: gapsSchema, copy: gapsSchema, export: gapsSchema })),
})

const seconds = z.nullable(count)

const termsSchema: z.ZodMiniType<Terms> = z.looseObject({
  schedule: z.array(text),
  timezone: text,
  jitter: count,
  promise: may(z.object({ snapshot: seconds, copy: seconds, export: may(seconds) })),
  paused: z.boolean(),
  copies: z.boolean(),
  export: may(z.object({ schedule: z.array(text) })),
})

const silentSchema = z.looseObject({ since: moment, reason: text, code: may(text) })

export const factOf = (facts: Facts | null, policy: string, key: string): Fact | undefined =>
  own(own(facts?.subjects ?? {}, policy) ?? {}, key)

/** The newest one that keeps the promise; null: none is known. */
export const newestIn = (fact: Fact, kind: PromiseKind): SnapshotPair | null =>
  parsePair(newestTextIn(fact, kind))

export const newestTextIn = ({ taken, copied, exported }: Fact, kind: PromiseKind): string | undefined =>
  own({ snapshot: taken, copy: copied, export: exported }, kind)

/** What is gone of it, and when that was seen. */
export const goneIn = (fact: Fact, kind: PromiseKind): readonly [string | undefined, string | undefined] => {
  if (kind === 'snapshot') return [fact.gone, fact.goneAt]
  return kind === 'copy' ? [fact.lost, fact.lostAt] : [fact.exportGone, fact.exportGoneAt]
}

/** When it was seen that it had some and has none any more; null: it never had one. */
export function vanishedAt(kind: PromiseKind, fact: Fact): Date | null {
  const [last, at] = goneIn(fact, kind)
  if (parsePair(last) === null || newestIn(fact, kind) !== null) return null
  return new Date(at ?? fact.since ?? 0)
}

const DAY = 86_400_000

/** What is lost is told for a day, also where a copy is made again at once. */
export const isFresh = ({ lostAt }: Pick<Fact, 'lostAt'>, now: Date): boolean =>
  lostAt !== undefined && now.getTime() - Date.parse(lostAt) < DAY

/** What is known where its copy goes there: of another place nothing. An earlier version didn't note the place. */
export function atPlace(fact: Fact, place: string | null): Fact {
  if (place === (fact.place ?? place)) return fact
  const { place: _, copied: _copied, lost: _lost, lostAt: _lostAt, missing: _missing, ...rest } = fact
  return rest
}

/** Likewise where its exports go into that store. */
export function inStore(fact: Fact, to: string | null): Fact {
  if ((fact.store ?? to) === to) return fact
  const {
    store: _,
    exportName: _name,
    exported: _pair,
    exportedAt: _at,
    exportGone: _gone,
    exportGoneAt: _when,
    ...rest
  } = fact
  const {
    exportDue: _due,
    exportSeen: _seen,
    exportUnread: _unread,
    checkedAt: _checked,
    exportBad: _bad,
    ...others
  } = rest
  const {
    exportSorted: _sorted,
    exportNext: _next,
    exportTries: _tries,
    exportGoing: _going,
    exportStrays: _strays,
    ...left
  } = others
  return left
}

export const renderPair = ([name, createdAt]: SnapshotPair): string => `${name}@${createdAt}`

/** Null: it is of no such form. */
export function parsePair(text: string | undefined): SnapshotPair | null {
  const at = (text ?? '').lastIndexOf('@')
  const createdAt = Number((text ?? '').slice(at + 1))
  return at > 0 && Number.isSafeInteger(createdAt) && createdAt > 0
    ? [(text ?? '').slice(0, at), createdAt]
    : null
}

/** `lost`: the parts that could not be read, each once. Null: they are no facts. */
export type FoundFacts = { facts: Facts | null; lost: string[] }

export function parseFacts(value: unknown): FoundFacts {
  if (!isObject(value)) return { facts: null, lost: ['what is known of the promises'] }
  const lost = new Set<string>()
  const lose: Lose = (part) => {
    lost.add(part)
  }
  const read =
    <Schema extends z.ZodMiniType>(schema: Schema) =>
    (item: unknown, part: string) =>
      partOf(item, schema, part, lose)
  const away = mapOf(value.silent, 'since when there is no answer of', lose, read(silentSchema))
  const glances = mapOf(value.glances, 'the glance at', lose, read(text))
  const terms = mapOf(value.terms, 'the terms of policy', lose, read(termsSchema))
  const out = mapOf(value.leftOut, 'what is left out, because', lose, read(text))
  const bare = mapOf(value.uncovered, 'what no policy covers in', lose, read(text))
  const beside = mapOf(value.scheduled, 'the schedules of Incus,', lose, read(text))
  const facts: Facts = {
    at: partOf(value.at, moment, 'when promises were looked at', lose) ?? new Date(0).toISOString(),
    subjects: mapOf(value.subjects, 'the promises of policy', lose, (item, part) =>
      mapOf(item, `${part} to`, lose, read(factSchema)),
    ),
    ...(Object.keys(terms).length === 0 ? {} : { terms }),
    ...(Object.keys(away).length === 0 ? {} : { silent: away }),
    ...(Object.keys(glances).length === 0 ? {} : { glances }),
    ...(Object.keys(bare).length === 0 ? {} : { uncovered: bare }),
    ...(Object.keys(out).length === 0 ? {} : { leftOut: out }),
    ...(Object.keys(beside).length === 0 ? {} : { scheduled: beside }),
  }
  return { facts, lost: [...lost] }
}

/** Of policies for which nothing could be seen, those from before. */
export function withFormer(facts: Facts, before: Facts | null, policies: readonly string[]): Facts {
  const kept = Object.entries(before?.subjects ?? {}).filter(([name]) => policies.includes(name))
  return kept.length === 0
    ? facts
    : { ...facts, subjects: Object.fromEntries([...Object.entries(facts.subjects), ...kept]) }
}

/** Milliseconds. That a look was made is noted at least so often. */
const NOTED = 10 * 60_000

/** When there should have been another look, if that is over. */
export const lookedAgainBy = ({ at }: Facts, now: Date): Date =>
  new Date(Math.min(now.getTime(), Date.parse(at) + NOTED))

/** Whether they have to be written: more than the time has changed, or it is long since. */
export function isNews(before: Facts | null, after: Facts): boolean {
  if (before === null || Date.parse(after.at) - Date.parse(before.at) >= NOTED) return true
  // In whichever order their parts stand.
  const others = new Map(Object.entries({ ...before, at: '' }))
  const parts = Object.entries({ ...after, at: '' })
  return (
    parts.length !== others.size ||
    parts.some(([key, part]) => JSON.stringify(part) !== JSON.stringify(others.get(key)))
  )
}
