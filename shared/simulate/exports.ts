/**
 * What would go of the exports that exist: their policies' `keep`, slot by slot, in stores in which every export succeeds. Of each
 * instance and store by itself, without the servers.
 */
import type { Ledger } from '../ledger/ledger.ts'
import { placeOf } from '../ledger/work.ts'
import { type Installation, renderInstallation } from '../plan/installation.ts'
import type { World } from '../plan/world.ts'
import type { Covered } from '../policy/cover.ts'
import type { Facts } from '../promise/facts.ts'
import { rulesOf } from '../retention/rules.ts'
import { dueSlots } from '../schedule/slots.ts'
import { exportsOf, type Wanted } from '../work/export/due.ts'
import type { ExportRow, ExportSurvey } from '../work/export/manifest.ts'
import { brakeExports } from '../work/thinning/brake.ts'
import { sortedFor } from '../work/thinning/sort.ts'
import type { Removal } from './removals.ts'

/** What the stores have, by `instance key>store`; null: it could not be read. */
export type Stored = { surveys: ReadonlyMap<string, ExportSurvey | null>; facts: Facts | null }

type Known = { world: World; ledger: Ledger; installation: Installation; now: Date; stored: Stored }

type Foreseen = { removals: Removal[]; braked: { at: string; reason: string; snapshots: string[] }[] }

/** Of one place. Slots beyond are no longer looked at. */
const MOST = 2000

/** Places of these policies that say how long their exports stay. */
export const keptPlaces = (covered: readonly Covered[], now: Date, facts: Facts | null = null): Wanted[] =>
  exportsOf({
    coverages: covered.map((one) => ({ ...NOTHING, policy: one.policy, covered: [one] })),
    ...{ facts, now },
  }).filter(({ export: { keep = {} } }) => rulesOf(keep).length > 0)

const NOTHING = { skipped: [], roles: [], problems: [], warnings: [], unreadable: [] }

export function foreseeExports(covered: readonly Covered[], until: string, known: Known): Foreseen {
  const all = keptPlaces(covered, known.now, known.stored.facts).map((one) => foreseeOne(one, until, known))
  return {
    removals: all.flatMap(({ removals }) => removals),
    braked: all.flatMap(({ braked }) => braked),
  }
}

function foreseeOne(
  one: Wanted,
  until: string,
  { world, ledger, installation, now, stored }: Known,
): Foreseen {
  const { covered, export: wish, policy } = one
  const of = placeOf(covered.key, wish.to)
  const survey = stored.surveys.get(of)
  if (survey == null) return { removals: [], braked: [] }
  const existing = new Set(survey.rows.map(({ name }) => name))
  const { timezone } = covered.policy
  const span = { schedule: wish.schedule, timezone, after: now, until: new Date(until), limit: MOST }
  const { slots } = dueSlots(span)
  const removals: Removal[] = []
  let rows = [...survey.rows]
  let at: Date | null = now
  for (let place = 0; at !== null; ) {
    const sorted = sortedFor(one, { rows }, { world, installation, now: at })
    const held = brakeExports(one, sorted, { world, ledger, now: at })
    const names = sorted.going.map(({ name }) => name)
    // Then nothing goes until somebody confirms it.
    if (held !== null) return { removals, braked: [{ at: at.toISOString(), reason: held, snapshots: names }] }
    for (const { name, reason } of sorted.going)
      if (existing.has(name))
        removals.push({
          ...{ at: at.toISOString(), of, snapshot: name, by: 'retention', reason },
          when: at <= now ? 'now' : at.getTime() === slots[0]?.getTime() ? 'next' : 'later',
        })
    rows = rows.filter(({ name }) => !names.includes(name))
    const slot: Date | undefined = slots[place]
    const [locked] = sorted.later.map((later) => later.until).sort()
    const isLocked =
      locked !== undefined && locked <= until && (slot === undefined || locked <= slot.toISOString())
    if (isLocked) at = new Date(locked)
    else {
      at = slot ?? null
      place += 1
      if (slot !== undefined) rows = [rowAt(slot, policy, wish.to, installation), ...rows]
    }
  }
  return { removals, braked: [] }
}

function rowAt(slot: Date, policy: string, store: string, installation: Installation): ExportRow {
  const date = slot.toISOString()
  return {
    ...{ store, name: date.replace(/[-:]|\.\d+/g, ''), snapshot: { name: '', createdAt: date } },
    ...{ madeAt: date, optimized: false, bytes: 0, sha256: '', encrypted: false },
    ...{ policy, owner: renderInstallation(installation) },
  }
}
