/**
 * Restores of which only the safety snapshot is left: ledger and relay's memory were lost, and it was cut off
 * after the instance's config was replaced and before its marks were set again. The holds are in the safety
 * snapshot's config.
 */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { parseSnapshotName, SAFETY } from '../../incus/snapshot-name.ts'
import { type InstanceRef, nounOf } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey, workOfJob } from '../../ledger/work.ts'
import { instancesIn, isCopy } from '../../plan/find.ts'
import { isSafety } from '../../plan/safety.ts'
import type { SafetyConfig, World } from '../../plan/world.ts'
import { RESTORING } from '../../policy/marks.ts'
import { RESTORE, type RestoreWork, restoreIn } from './entry.ts'
import { parseRestoring } from './mark.ts'
import { lastingMarks, restoringOn, wholeSafeties } from './safety.ts'

/** Later, people have used the instance again. */
const FRESH = 24 * 3_600_000

/** The newest safety snapshot of each instance whose restore isn't known otherwise: its config has to be read. */
export const safetiesLeft = (
  world: World,
  ledger: Ledger,
  now: Date,
): { key: string; ref: InstanceRef; safety: string }[] =>
  instancesIn(world).flatMap(({ key, ref, record }) => {
    // A volume keeps its mark.
    const isOther = isCopy(record) || nounOf(ref) === 'volume'
    const safety = isOther ? null : leftOn(record, restoreIn(ledger, key), now)
    const isKnown = safety === null || world.jobs.some(({ id }) => workOfJob(id) === workKey(RESTORE, key))
    return isKnown || world.incomplete.has(`${key}/${safety}`) ? [] : [{ key, ref, safety }]
  })

function leftOn(record: InstanceRecord, noted: RestoreWork | undefined, now: Date): string | null {
  const newest = newestSafety(record)
  if (newest === null || wholeSafeties(record).includes(newest)) return null
  if (restoringOn(record) !== null || (noted !== undefined && noted.safety >= newest)) return null
  const taken = parseSnapshotName(newest)?.slot.getTime() ?? 0
  return now.getTime() - taken < FRESH ? newest : null
}

/** This runs for every instance in every run, so only names with the prefix are parsed. */
function newestSafety({ snapshots }: InstanceRecord): string | null {
  let newest: string | null = null
  for (const [name] of snapshots ?? [])
    if (name.startsWith(SAFETY) && isSafety(name) && (newest === null || name > newest)) newest = name
  return newest
}

/** Null: it comes from no restore. The instance isn't started, because a person may have stopped it since. */
export function fromSafety(
  { safety, config }: SafetyConfig,
  record: InstanceRecord,
  now: Date,
): RestoreWork | null {
  const mark = parseRestoring(config[RESTORING])
  if (mark === null || mark.safety !== safety) return null
  return {
    state: 'running',
    snapshot: mark.snapshot,
    safety,
    running: false,
    holds: lastingMarks({ ...record, config, own: Object.keys(config) }),
    job: '',
    attempts: 0,
    at: now.toISOString(),
  }
}
