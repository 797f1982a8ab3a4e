/** Judges the state of a restore in place by what is observed, and decides the next step. */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { classify, describe, leavesAsItWas, mayRetry } from '../../incus/refusal.ts'
import { type InstanceRef, volumeIn } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import { operationOn } from '../../plan/operations.ts'
import type { World } from '../../plan/world.ts'
import { RESTORED } from '../../policy/marks.ts'
import type { CallError } from '../../relay/protocol.ts'
import { isLast, isLive, liveText } from '../life.ts'
import type { RestoreWork } from './entry.ts'
import type { Known } from './known.ts'
import { type Restoring, wordsOf } from './mark.ts'
import { wholeSafeties } from './safety.ts'
import { RETRY, type Stage } from './tries.ts'
import { notStartedAgain } from './volume.ts'

const DAY = 86_400_000

export type Next =
  | { do: 'wait'; reason: string }
  | { do: 'try'; stage: Stage; entry: RestoreWork; why: string | null; permanent: boolean }
  /** Incus refused before it changed anything. */
  | { do: 'undo'; entry: RestoreWork; why: string }
  | { do: 'start' }
  | { do: 'done' }
  | { do: 'fail'; reason: string }

export function nextStep({ key, ref, record, mark, report, entry }: Known, world: World, now: Date): Next {
  const reply = own(world.remotes, ref.remote)
  if (reply === undefined)
    return fail(`no policy names the remote ${ref.remote} any more, so the restore can't be finished`)
  if (!reply.ok) return wait(`${ref.remote} can't be queried: ${reply.error.message}`)
  if (report !== null && isLive(report)) return wait(liveText('its restore', report))
  if (record === undefined) return isMissed(entry, now) ? wait(UNLISTED) : fail(gone(ref, entry))
  if (record.snapshots === null) return wait(record.problem ?? 'its snapshots could not be listed')
  const isStray = mark?.safety === entry.safety
  if (entry.refused === true && !isStray) return afterRefusal(entry, record.status)
  if (wholeSafeties(record).includes(entry.safety) && !isStray)
    return afterwards(entry.running, record.status)
  const operation = operationOn(world, key, reply.inventory.operations)
  if (operation !== null) return wait(`an operation runs on it: ${operation}`)
  const found = stageOf(record, mark, entry)
  if (found === null)
    return fail(
      record.type === 'volume' || mark === null
        ? unmarked(entry)
        : `somebody restored it to ${entry.safety} in the meantime, so it stays as it is`,
    )
  const error = report?.error
  const why = error === undefined ? null : describe(error)
  const { stage } = found
  const permanent = error !== undefined && isPermanent(error, stage)
  if (stage.from !== 'data') return { do: 'try', ...found, why, permanent }
  const clean =
    isUntouched(record, mark) || (entry.touched !== true && error !== undefined && leavesAsItWas(error))
  if (entry.refused === true || (clean && (permanent || isLast(entry, RETRY, entry.marking))))
    return { do: 'undo', entry: found.entry, why: why ?? entry.reason ?? '' }
  const known: RestoreWork = clean ? found.entry : { ...found.entry, touched: true }
  // Nothing shows whether Incus has finished that of the disk alone. What runs may have written since, so that is kept, too.
  if (!clean && known.diskOnly && runs(record.status))
    return { do: 'try', stage: { from: 'safety', partial: null }, entry: keptTwice(known), why, permanent }
  return { do: 'try', stage, entry: known, why, permanent }
}

/** With another safety snapshot beside the one that is whole. */
function keptTwice({ whole: _, ...entry }: RestoreWork): RestoreWork {
  const safeties = new Set([entry.safety, ...wordsOf(entry.holds[RESTORED])])
  return { ...entry, holds: { ...entry.holds, [RESTORED]: [...safeties].join(' ') } }
}

/** A volume keeps its mark, which says whether its data may have been changed. */
const isUntouched = ({ type }: InstanceRecord, mark: Restoring | null): boolean =>
  type === 'volume' && mark?.writing === false

const unmarked = ({ snapshot, safety }: RestoreWork): string =>
  `somebody removed its mark in the meantime, so it isn't known whether it was restored to ${snapshot}, and it stays as it is; the previous state is in ${safety}`

/** Its row may be missing from the listing; giving up then would leave the restore unfinished. */
const isMissed = ({ at }: RestoreWork, now: Date): boolean => now.getTime() - Date.parse(at) < DAY

/** What was stopped for a volume doesn't run, and nobody else may know why. */
function gone(ref: InstanceRef, entry: RestoreWork): string {
  if (volumeIn(ref.instance) === null) return 'the instance is gone'
  const reason = 'the volume is gone, or has another name by now'
  return (entry.users ?? []).length === 0 ? reason : notStartedAgain(ref, { ...entry, reason })
}

const UNLISTED =
  'Incus does not list the instance; the listing may be incomplete, so it counts as gone only a day after the last try'

/** If the relay refuses the first steps, it will refuse them again, and nothing was begun. */
const isPermanent = (error: CallError, stage: Stage): boolean =>
  !mayRetry(classify(error)) || (stage.from !== 'marks' && error.code === 'not-allowed')

function afterRefusal({ running, reason = '' }: RestoreWork, status: string): Next {
  const next = afterwards(running, status)
  return next.do === 'done' ? fail(reason) : next
}

/** By the marks on the instance. Null: it isn't our restore any more. */
function stageOf(
  record: InstanceRecord,
  mark: Restoring | null,
  entry: RestoreWork,
): { stage: Stage; entry: RestoreWork } | null {
  const isListed = (name: string): boolean => (record.snapshots ?? []).some(([taken]) => taken === name)
  // It has ended, and a concurrent try has left its mark.
  if (wholeSafeties(record).includes(entry.safety))
    return { stage: { from: 'marks' }, entry: withUsers(entry, mark) }
  if (record.type === 'volume' && mark === null && isListed(entry.safety)) return null
  if (mark === null || mark.safety < entry.safety) {
    // Its settings stay, and so would the mark.
    if (entry.diskOnly && isListed(entry.safety)) return null
    // Once its config is that of the snapshot, the other marks are gone too.
    const stage: Stage = isListed(entry.safety) ? { from: 'marks' } : { from: 'safety', partial: null }
    return { stage, entry }
  }
  const { snapshot, safety, running, stateful, diskOnly, taken } = mark
  const { stateful: _, diskOnly: __, ...rest } = entry
  const how = { ...(stateful ? { stateful } : {}), ...(diskOnly ? { diskOnly } : {}) }
  const known = withUsers({ ...rest, snapshot, safety, running, ...how }, mark)
  if (taken) return { stage: { from: 'data' }, entry: { ...known, whole: true } }
  if (safety !== entry.safety) return { stage: { from: 'safety', partial: null }, entry: known }
  if (entry.whole === true) return null
  return { stage: { from: 'safety', partial: isListed(safety) ? safety : null }, entry: known }
}

/** The relay noted on a volume which of its users ran. */
const withUsers = (entry: RestoreWork, mark: Restoring | null): RestoreWork =>
  mark === null || mark.users.length === 0 ? entry : { ...entry, users: [...mark.users] }

const wait = (reason: string): Next => ({ do: 'wait', reason })
const fail = (reason: string): Next => ({ do: 'fail', reason })

export const runs = (status: string): boolean => ['Running', 'Ready', 'Frozen'].includes(status)

function afterwards(running: boolean, status: string): Next {
  if (!running || runs(status)) return { do: 'done' }
  return status === 'Stopped' ? { do: 'start' } : wait(`it is ${status}`)
}
