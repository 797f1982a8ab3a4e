/** Begins the exports that policies want: of each slot, the newest complete snapshot, unless the store has it already. */
import { samePair } from '../../incus/pairs.ts'
import { placeOf } from '../../ledger/work.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding, type Found } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import { rulesOf } from '../../plan/world.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { nextSlot } from '../../schedule/slots.ts'
import { actionOf, entryOf, nameAt, newestComplete, refuseExport } from './begin.ts'
import { isOwed, nextLook, type Wanted, type Wanting, wantedExports } from './due.ts'
import { exportIn, exportKey } from './entry.ts'
import { type ExportRow, pairIn } from './manifest.ts'

/** Minutes until a store that the relay doesn't have is looked for again. */
const AGAIN = 10

export function planDue(context: PlanContext, found: Found): Finding {
  const wanting: Wanting = { ...context, facts: context.facts ?? null }
  const wanted = wantedExports(wanting)
  if (wanted.length === 0) return {}
  const look = nextLook(wanting)
  // So that what is told of a missing store ends soon after somebody adds it.
  const isUnknown = context.coverages.some(({ roles }) => roles.some(({ of }) => of === 'store'))
  const schedules = new Map(
    wanted.map(({ covered: { policy }, export: { schedule } }) => [
      `${policy.timezone} ${schedule.join()}`,
      { schedule, timezone: policy.timezone },
    ]),
  )
  const slots = [...schedules.values()].flatMap(
    (one) => nextSlot({ ...one, after: context.now })?.toISOString() ?? [],
  )
  // What is taken now can be exported then.
  const isTaking = wanted.some((one) => isOwed(one) && found.taking.has(`${one.policy} ${one.covered.key}`))
  const soon = isTaking ? [minutesFrom(context.now, 1)] : []
  const again = isUnknown ? [minutesFrom(context.now, AGAIN)] : []
  const wake = [...new Set([...soon, ...again, ...slots, ...(look === null ? [] : [look.toISOString()])])]
  return combine([{ wake }, ...wanted.map((one) => beginOf(one, context, found))])
}

function beginOf(wanted: Wanted, context: PlanContext, found: Found): Finding {
  const { covered, export: wish, slot } = wanted
  const { world, now } = context
  const saying = (kind: Note['kind'], reason: string): Finding => ({
    notes: [{ kind, about: covered.key, reason }],
  })
  const { record, ref, key } = covered
  // Without an answer of its server nothing can be said.
  if (rulesOf(world, ref.remote) === undefined || record.snapshots === null) return {}
  const instance = { ref, key, record, snapshots: record.snapshots }
  const looked = world.exports?.get(placeOf(key, wish.to))
  if (looked === undefined && !isOwed(wanted)) return {}
  const refusal = refuseExport(instance, wish, world)
  if (refusal !== null) return isOwed(wanted) ? saying('problem', refusal.reason) : {}
  if (looked === undefined || looked.name !== null) return {}
  if (looked.rows === null)
    return isOwed(wanted) ? saying('problem', `whether it was exported to ${wish.to} could not be read`) : {}
  const { exportBad } = wanted.fact
  const [newest] = looked.rows.filter(({ name }) => name !== exportBad)
  if (newest !== undefined && Date.parse(newest.madeAt) >= slot.getTime()) return {}
  const busy = found.busy.get(covered.key)
  if (busy !== undefined) return saying('wait', `its export to ${wish.to} waits: ${busy}`)
  if (found.taking.has(`${wanted.policy} ${covered.key}`))
    return saying('wait', `its export to ${wish.to} waits for the snapshot that is taken now`)
  const pair = newestComplete(instance, context)
  if (pair === null)
    return saying('wait', `its export to ${wish.to} waits for a first snapshot that is known to be complete`)
  if (newest !== undefined && samePair(pair, pairIn(newest)))
    return saying('keep', `${pair[0]}, its newest snapshot, is in ${wish.to} already`)
  const { policy } = wanted
  const details = {
    ...{ store: wish.to, optimized: wish.optimized, name: nameFor(wanted, looked.rows, context), policy },
    reason: `slot ${slot.toISOString().slice(0, 16)}Z of ${policy}’s exports is due`,
  }
  const action = actionOf(instance, pair[0], details, context.installation)
  return {
    actions: [action],
    work: { [exportKey(key, wish.to)]: entryOf(action, now) },
    wake: [minutesFrom(now, 1)],
  }
}

/** After its slot, unless the store has that name, or a later one, or may have: nothing is overwritten, and the last name counts. */
function nameFor(
  { covered: { key }, export: { to }, slot, fact }: Wanted,
  rows: readonly ExportRow[],
  { ledger, now }: PlanContext,
): string {
  const name = nameAt(slot)
  const isTaken =
    [exportIn(ledger, key, to)?.name, fact.exportName].includes(name) || rows.some((row) => row.name >= name)
  return isTaken ? nameAt(now) : name
}
