/**
 * Takes removals back that have yet to be executed: what somebody removed may be held since, or be the newest that is
 * left, because others are gone.
 */
import { standsApart, subjectIn, workOfJob } from '../../ledger/work.ts'
import type { PlanContext } from '../../plan/context.ts'
import { type Found as Instance, instancesIn, isCopy } from '../../plan/find.ts'
import { combine, type Finding, type Found } from '../../plan/finding.ts'
import { lastLooks } from '../../plan/last-look.ts'
import { rulesOf, type World } from '../../plan/world.ts'
import { holdsOf, undoableOn } from '../../policy/marks.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { isLive } from '../life.ts'
import type { UndoAction } from './action.ts'
import { newestOf } from './newest.ts'

/** Of all instances that are seen, whether a policy covers them or not. */
export const takeBack = (context: PlanContext, found: Found): Finding =>
  combine(instancesIn(context.world).map((one) => takeBackOn(one, context, found)))

function takeBackOn(
  one: Omit<Instance, 'snapshots'>,
  { world, now }: Pick<PlanContext, 'world' | 'now'>,
  found: Found,
): Finding {
  const { key, ref, record } = one
  const { snapshots } = record
  const marks = undoableOn(record)
  if (marks.size === 0 || snapshots === null || isCopy(record)) return {}
  // The relay refuses it there.
  if (rulesOf(world, ref.remote)?.role === 'target') return {}
  const going = new Map([...marks].filter(([name]) => snapshots.some(([listed]) => listed === name)))
  if (going.size === 0) return {}
  const later = {
    wake: lastLooks(
      [...going.values()].map(({ end }) => end),
      now,
    ),
  }
  // Incus takes no mark off while it is copied, and no end comes meanwhile: it was postponed.
  if (found.busy.has(key) || isWorkedOn(key, world)) return later
  const complete = snapshots.filter(([name]) => !found.incomplete.has(`${key}/${name}`))
  const newest = newestOf(complete)
  const held = new Set([...holdsOf(record), ...(found.held.get(key) ?? [])])
  const needed = found.needed.get(key)
  const actions = [...going.keys()].flatMap((snapshot): UndoAction[] => {
    const why = held.has(snapshot) ? 'it is held' : (newest.get(snapshot) ?? needed?.get(snapshot))
    const reason = `its removal is taken back: ${why}`
    return why === undefined ? [] : [{ kind: 'unexpire', ref, snapshot, reason }]
  })
  // What is about to go is looked at again until it is known to stay.
  const isSoon = actions.some(({ snapshot }) => isNear(going.get(snapshot)?.end ?? 0, now))
  return combine([later, { actions, wake: isSoon ? [minutesFrom(now, 1)] : [] }])
}

/** Milliseconds. */
const NEAR = 600_000
const isNear = (end: number, now: Date): boolean => Math.abs(end - now.getTime()) < NEAR

/** A job of it runs that others wait for. */
const isWorkedOn = (key: string, { jobs }: Pick<World, 'jobs'>): boolean =>
  jobs.some((job) => {
    const work = workOfJob(job.id)
    return isLive(job) && work !== null && !standsApart(work) && subjectIn(work) === key
  })
