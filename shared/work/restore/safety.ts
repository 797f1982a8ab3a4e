/** Safety snapshots, which are taken before a restore in place, and the marks about them. */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { refuseSnapshots } from '../../incus/project-rules.ts'
import { parseSnapshotName, SAFETY, snapshotName } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import type { Found } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import { isSafety } from '../../plan/safety.ts'
import type { World } from '../../plan/world.ts'
import { HOLD, holdsOf, RESTORED, RESTORING, renderUndo, UNDO, undoableOn } from '../../policy/marks.ts'
import { minuteOf } from '../../schedule/moment.ts'
import type { RestoreWork } from './entry.ts'
import { parseRestoring, type Restoring, wordsOf } from './mark.ts'

const safetiesOf = ({ snapshots }: InstanceRecord): string[] =>
  (snapshots ?? []).map(([name]) => name).filter(isSafety)

/** Of this minute, or the first one after those that are there: a name is never used twice. */
export function safetyName(record: InstanceRecord, now: Date): string {
  const taken = safetiesOf(record).map((name) => parseSnapshotName(name)?.slot.getTime() ?? 0)
  const slot = new Date(Math.max(minuteOf(now).getTime(), ...taken.map((time) => time + 60_000)))
  return snapshotName({ policy: SAFETY, slot })
}

/** The project has to allow it. */
export function refuseSafety({ ref, key }: Found, { remotes }: World): Refusal | null {
  const reply = own(remotes, ref.remote)
  const rules = reply?.ok === true ? own(reply.inventory.projectRules, ref.project) : undefined
  const why = refuseSnapshots(ref.project, rules)
  return why === null
    ? null
    : { code: 'forbidden', reason: `${key}: the previous state can't be kept, because ${why}` }
}

/**
 * The instance's own mark, unless an older restore has left it in a snapshot that was restored since:
 * then a newer safety snapshot is there.
 */
export function restoringOn(record: InstanceRecord): Restoring | null {
  const mark = record.own.includes(RESTORING) ? parseRestoring(record.config[RESTORING]) : null
  return mark !== null && safetiesOf(record).every((name) => name <= mark.safety) ? mark : null
}

/** Safety snapshots of restores that ended, which are known to be complete. */
export const wholeSafeties = ({ own, config }: InstanceRecord): string[] =>
  own.includes(RESTORED) ? wordsOf(config[RESTORED]) : []

/** Our snapshots that are held by the instance or a profile of it. */
export function heldOn(record: InstanceRecord): string[] {
  const held = holdsOf(record)
  const listed = (record.snapshots ?? []).map(([name]) => name)
  return listed.filter((name) => held.has(name) && parseSnapshotName(name) !== null)
}

/** Snapshots that were held when a restore replaced the instance's config, and aren't any more. */
export function lostHolds(record: InstanceRecord | undefined, entry: RestoreWork | undefined): string[] {
  if (entry?.marking === undefined || entry.state === 'done' || record === undefined) return []
  const { config, snapshots } = record
  const isListed = (name: string): boolean => snapshots === null || snapshots.some(([one]) => one === name)
  return Object.entries(entry.holds).flatMap(([key, note]) => {
    const name = key.slice(HOLD.length)
    const lost = key.startsWith(HOLD) && note !== 'false' && (own(config, key) ?? '') === ''
    return lost && isListed(name) ? [name] : []
  })
}

/** Marks that a restore has to set again: the instance's own holds and removals, and which safety snapshots are complete. */
export function lastingMarks(record: InstanceRecord): Record<string, string> {
  const { config, own: itsOwn, snapshots } = record
  const holds = Object.entries(config).filter(
    ([key, note]) => key.startsWith(HOLD) && note !== '' && itsOwn.includes(key),
  )
  const listed = new Set((snapshots ?? []).map(([name]) => name))
  const removals = [...undoableOn(record)].flatMap(([name, mark]) =>
    snapshots === null || listed.has(name) ? [[`${UNDO}${name}`, renderUndo(mark)]] : [],
  )
  const whole = wholeSafeties(record).filter((name) => listed.has(name))
  return {
    ...Object.fromEntries([...holds, ...removals]),
    ...(whole.length === 0 ? {} : { [RESTORED]: whole.join(' ') }),
  }
}
