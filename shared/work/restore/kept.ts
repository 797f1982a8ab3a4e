/**
 * The safety snapshots of a restore that was given up halfway: nothing else has the previous state, so Incus must not remove
 * them while it is unfinished, however long nobody comes to it.
 */
import type { InstanceRecord } from '../../incus/inventory.ts'
import { SAFETY } from '../../incus/snapshot-name.ts'
import type { InstanceRef } from '../../incus/subject.ts'
import { isSafety } from '../../plan/safety.ts'
import { removedOn } from '../../policy/marks.ts'
import type { HoldAction } from '../hold/action.ts'
import type { RestoreWork } from './entry.ts'

const DAY = 86_400_000
/** From each day on, so that they also outlast a time in which no tick comes. */
const DAYS = 90

/** All of them: where a second restore was given up as well, the state before the first one is in an older one. */
export function keepSafeties(
  ref: InstanceRef,
  entry: RestoreWork,
  record: InstanceRecord | undefined,
  now: Date,
): { actions: HoldAction[]; entry: RestoreWork } {
  const listed = record?.snapshots ?? []
  const last = entry.keptAt === undefined ? 0 : Date.parse(entry.keptAt)
  if (record === undefined || now.getTime() - last < DAY) return { actions: [], entry }
  // A person has confirmed that.
  const removed = removedOn(record, now)
  const expiresAt = new Date(now.getTime() + DAYS * DAY).toISOString()
  const reason = `its restore to ${entry.snapshot} is unfinished, and this may be all that is left of the state before: Incus's own expiry is postponed`
  const actions = listed.flatMap(([snapshot]): HoldAction[] =>
    isSafety(snapshot) && !removed.has(snapshot)
      ? [{ kind: 'hold', ref, policy: SAFETY, snapshot, expiresAt, reason }]
      : [],
  )
  return actions.length === 0
    ? { actions, entry }
    : { actions, entry: { ...entry, keptAt: now.toISOString() } }
}
