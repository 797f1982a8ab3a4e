/** Finds an instance's last restore: by the ledger, the relay's jobs, or its own mark. */

import type { InstanceRecord } from '../../incus/inventory.ts'
import { parseSnapshotName } from '../../incus/snapshot-name.ts'
import type { InstanceRef } from '../../incus/subject.ts'
import { instanceOf } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { workKey } from '../../ledger/work.ts'
import type { World } from '../../plan/world.ts'
import type { JobReport } from '../../relay/protocol.ts'
import { isLive, jobsOf } from '../life.ts'
import { RESTORE, type RestoreWork, restoreIn } from './entry.ts'
import { fromSafety } from './lost.ts'
import type { Restoring } from './mark.ts'
import { lastingMarks, restoringOn } from './safety.ts'
import type { RestoreMemo } from './steps.ts'

export type Known = {
  key: string
  ref: InstanceRef
  /** Undefined: not listed, or its remote isn't observed. */
  record: InstanceRecord | undefined
  mark: Restoring | null
  /** Of the entry's job. */
  report: JobReport | null
  entry: RestoreWork
}

/** A restore that the ledger doesn't know is only continued for so long; later, people have used the instance again. */
const FRESH_HOURS = 24
const SETTLED_HOURS = 1

export const isEnded = ({ state }: RestoreWork): boolean => state === 'done' || state === 'failed'

/** Null: none that needs anything. */
export function knownRestore(key: string, world: World, ledger: Ledger, now: Date): Known | null {
  const ref = instanceOf(key)
  const record = world.find(ref)
  const mark = record === undefined ? null : restoringOn(record)
  const noted = restoreIn(ledger, key)
  const reports = jobsOf(workKey(RESTORE, key), world.jobs)
  const live = reports.find(isLive)
  const base = { key, ref, record, mark }
  if (live !== undefined)
    return { ...base, report: live, entry: noted?.job === live.id ? noted : fromReport(live) }
  if (noted !== undefined && !isEnded(noted))
    return { ...base, report: reports.find(({ id }) => id === noted.job) ?? null, entry: noted }
  const report = reports.find((one) => tellsMore(one, noted, mark, now)) ?? null
  if (report !== null) return { ...base, report, entry: fromReport(report) }
  // A mark that the relay didn't make begins nothing.
  if (
    record !== undefined &&
    record.unsealed !== true &&
    mark !== null &&
    (mark.taken || mark.writing) &&
    mark.safety !== noted?.safety
  )
    return { ...base, report: null, entry: fromMark(mark, record, now) }
  const left = world.safeties?.get(key)
  const lost = left == null || record === undefined ? null : fromSafety(left, record, now)
  const entry = lost ?? noted
  return entry === undefined ? null : { ...base, report: null, entry }
}

/** An ended job that the ledger knows nothing of, or not yet. */
function tellsMore(
  report: JobReport,
  noted: RestoreWork | undefined,
  mark: Restoring | null,
  now: Date,
): boolean {
  const { safety } = memoOf(report)
  if (safety === '' || (noted !== undefined && noted.safety >= safety)) return false
  const hours = (now.getTime() - new Date(report.since).getTime()) / 3_600_000
  return hours < (mark?.safety === safety ? FRESH_HOURS : SETTLED_HOURS)
}

function fromReport(report: JobReport): RestoreWork {
  const attempts = Number(/#(\d+)$/.exec(report.id)?.[1] ?? 0)
  const { stateful, users = [], ...memo } = memoOf(report)
  const more = {
    ...(stateful ? { stateful } : {}),
    ...usersIn(users),
    ...(attempts > 0 ? { touched: true as const } : {}),
  }
  return { state: 'running', ...memo, ...more, job: report.id, attempts, at: report.since }
}

const usersIn = (users: readonly string[]): Pick<RestoreWork, 'users'> =>
  users.length === 0 ? {} : { users: [...users] }

/** A mark that is a day old may come from a snapshot that was taken during a restore. */
function fromMark(mark: Restoring, record: InstanceRecord, now: Date): RestoreWork {
  const { snapshot, safety, running, stateful, diskOnly, users } = mark
  const begun = parseSnapshotName(safety)?.slot ?? new Date(0)
  const old = now.getTime() - begun.getTime() > FRESH_HOURS * 3_600_000
  return {
    state: old ? 'failed' : 'running',
    snapshot,
    safety,
    running,
    ...(stateful ? { stateful } : {}),
    ...(diskOnly ? { diskOnly } : {}),
    ...usersIn(users),
    ...(record.type === 'volume' && !mark.writing ? {} : { touched: true as const }),
    holds: record.type === 'volume' ? {} : lastingMarks(record),
    job: '',
    attempts: 0,
    ...(old
      ? {
          reason: `a restore to ${snapshot} began at ${begun.toISOString()}, and it is not known how it ended`,
        }
      : {}),
    at: now.toISOString(),
  }
}

/** A foreign memo gives empty names. */
function memoOf({ memo }: JobReport): RestoreMemo {
  const { snapshot, safety, running, stateful, diskOnly, holds, users } = (
    typeof memo === 'object' && memo !== null ? memo : {}
  ) as Record<string, unknown>
  return {
    snapshot: typeof snapshot === 'string' ? snapshot : '',
    safety: typeof safety === 'string' ? safety : '',
    running: running === true,
    stateful: stateful === true,
    ...(diskOnly === true ? { diskOnly } : {}),
    holds: typeof holds === 'object' && holds !== null ? (holds as Record<string, string>) : {},
    users: Array.isArray(users) ? users.map(String) : [],
  }
}
