/** Reads the newest export of an instance again, once that was not done for as long as its policy says. */
import { spanOf } from '../../chat/age.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import { storesIn } from '../../plan/world.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { isOwed, type Wanted, wantedExports } from '../export/due.ts'
import { isPending } from '../life.ts'
import type { CheckAction } from './action.ts'
import { type CheckWork, checkIn, checkKey } from './entry.ts'
import { jobOf } from './steps.ts'

/** So many begin in one run. */
const MOST = 2
/** Milliseconds after one that could not be read; and of a slot for its own export, before an older one is read. */
const LATER = 6 * 3_600_000

export function planDueChecks(context: PlanContext): Finding {
  const { world, ledger, now } = context
  const wanted = wantedExports({ ...context, facts: context.facts ?? null })
  if (wanted.length === 0) return {}
  const stores = storesIn(world)
  const times = wanted.flatMap((one) => {
    const at = stores.includes(one.export.to) ? dueAt(one, ledger) : null
    return at === null ? [] : [{ one, at }]
  })
  const due = times.filter(({ at }) => at <= now.getTime()).toSorted((one, other) => one.at - other.at)
  const later = times.filter(({ at }) => at > now.getTime()).map(({ at }) => at)
  return combine([
    ...due.slice(0, MOST).map(({ one }) => beginOf(one, now)),
    { wake: due.length > MOST ? [minutesFrom(now, 1)] : [] },
    { wake: later.length === 0 ? [] : [new Date(Math.min(...later)).toISOString()] },
  ])
}

/** When it was read last: when it was made, at the latest. Null: there is none, or one is being read. */
function dueAt(one: Wanted, ledger: PlanContext['ledger']): number | null {
  const { fact, covered, export: wish } = one
  const entry = checkIn(ledger, covered.key, wish.to)
  if (wish.check === null || fact.exportedAt === undefined) return null
  if (entry !== undefined && isPending(entry)) return null
  const last = Math.max(Date.parse(fact.exportedAt), Date.parse(fact.checkedAt ?? '') || 0)
  const span = wish.check * 1000
  const owed = isOwed(one) ? one.slot.getTime() + LATER : 0
  const failed = entry?.state === 'failed' ? Date.parse(entry.at) : 0
  // Somebody didn't want it to go on.
  return Math.max(last + span, owed, failed + (entry?.cancelled === undefined ? LATER : span))
}

function beginOf({ covered: { ref }, export: { to, check }, policy, fact }: Wanted, now: Date): Finding {
  const key = subjectKey(ref)
  // A second tick begins the same.
  const job = jobOf({ key, store: to }, fact.checkedAt ?? fact.exportedAt ?? '', 0)
  const action: CheckAction = {
    ...{ kind: 'check', ref, store: to, name: fact.exportName ?? null, job },
    reason: `${policy} has it read again, ${spanOf((check ?? 0) * 1000)} after the last time`,
  }
  const entry: CheckWork = {
    ...{ state: 'started', store: to, job, attempts: 0, at: now.toISOString() },
    ...(fact.exportName === undefined ? {} : { name: fact.exportName }),
  }
  return { actions: [action], work: { [checkKey(key, to)]: entry }, wake: [minutesFrom(now, 1)] }
}
