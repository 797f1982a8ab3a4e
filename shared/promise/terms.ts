/** What a policy promises of an instance: how old its newest snapshot, and the newest on its copy and in its exports, may be. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { ownSnapshot } from '../incus/snapshot-name.ts'
import { own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { nextSlot } from '../schedule/slots.ts'

export const PROMISES = ['snapshot', 'copy', 'export'] as const
export type PromiseKind = (typeof PROMISES)[number]

type Terms = Pick<Policy, 'schedule' | 'timezone' | 'jitter' | 'promise'> & {
  export?: { schedule: readonly string[] } | null
}

/** Milliseconds that a slot may take without a promise of its own: to be served, to be copied, to be exported. */
const GRACE = { snapshot: 3_600_000, copy: 7_200_000, export: 43_200_000 }

/** Until when the newest one keeps the promise, if nothing more happens. `exportedAt`: when that export was made, or since when another one is owed. */
export function keptUntil(
  terms: Terms,
  kind: PromiseKind,
  pair: SnapshotPair,
  exportedAt = new Date(pair[1] * 1000),
): Date {
  const made = pair[1] * 1000
  const said = saidOf(terms, kind)
  // One that is dated in the future is no younger than its export.
  if (said !== null && kind === 'export') return new Date(Math.min(made, exportedAt.getTime()) + said * 1000)
  if (said !== null) return new Date(made + said * 1000)
  const slot = kind === 'export' ? exportedAt : (ownSnapshot(pair)?.slot ?? new Date(made))
  return bySchedule(terms, kind, slot)
}

/** Until when there must be a first one, of what is covered since then: what comes later is served by the next slot. */
export function owedUntil(terms: Terms, kind: PromiseKind, since: Date): Date {
  const said = saidOf(terms, kind)
  return said === null ? bySchedule(terms, kind, since) : new Date(since.getTime() + said * 1000)
}

/** The next slot, and the time that it may take. A schedule that never comes again promises nothing more. */
function bySchedule(terms: Terms, kind: PromiseKind, slot: Date): Date {
  const next = nextAfter(kind, terms, slot)
  return next === null ? FAR : new Date(next.getTime() + graceOf(terms, kind))
}

/** By schedule, time zone and slot. */
const nexts = new WeakMap<readonly string[], Map<string, Map<number, Date | null>>>()

/** Slots of a schedule that are cached. */
const MOST = 1000

/** Cached, as most instances of a policy have the same slots. */
function nextAfter(kind: PromiseKind, terms: Terms, after: Date): Date | null {
  const { timezone } = terms
  const schedule = (kind === 'export' ? terms.export?.schedule : terms.schedule) ?? terms.schedule
  const zones = nexts.get(schedule) ?? new Map<string, Map<number, Date | null>>()
  nexts.set(schedule, zones)
  const known = zones.get(timezone) ?? new Map<number, Date | null>()
  zones.set(timezone, known)
  const next = known.get(after.getTime())
  if (next !== undefined) return next
  const found = nextSlot({ schedule, timezone, after })
  if (known.size >= MOST) known.clear()
  known.set(after.getTime(), found)
  return found
}

const saidOf = ({ promise }: Terms, kind: PromiseKind): number | null => own(promise ?? {}, kind) ?? null

const graceOf = ({ jitter }: Terms, kind: PromiseKind): number =>
  GRACE[kind] + (kind === 'export' ? 0 : jitter * 1000)

export const FAR = new Date('9999-12-31T00:00:00Z')
