/** What the last transfer of a replica came to, judged by what both sides list. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { retryCopyAt } from '../ledger/attempts.ts'
import type { CopyLedger, CopyMemo } from '../ledger/ledger.ts'
import type { JobReport } from '../relay/protocol.ts'
import { commonPairs, newestPair, samePair, verifiedOn } from './marks.ts'
import { type Replica, reportOn, type Seen, transferOn } from './replica.ts'
import type { World } from './world.ts'

export type Judgement =
  | { phase: 'running'; ledger: CopyLedger; reason: string }
  /** Both sides were listed after a success that was seen: these pairs are verified now. */
  | { phase: 'landed'; ledger: CopyLedger; marks: SnapshotPair[]; fresh: string[]; memo: CopyMemo }
  /** It ended badly, or nobody saw how. */
  | { phase: 'broken'; ledger: CopyLedger; reason: string }
  | { phase: 'idle'; ledger: CopyLedger | undefined }

export function judge(
  replica: Replica,
  seen: Seen,
  world: World,
  known: CopyLedger | undefined,
  now: Date,
): Judgement {
  const report = reportOn(replica.key, known, world.jobs)
  if (report?.state === 'running' || report?.state === 'queued') return running(report, known, now)
  const pending = known === undefined || known.state === 'started' || known.state === 'running'
  if (report?.state === 'done') return landed(replica, seen, report, known, pending, now)
  const unwatched = transferOn(world, replica.target)
  if (unwatched !== null && report?.state !== 'failed') return foundRunning(unwatched.id, replica, known, now)
  if (report !== null && pending) {
    const reason = report.error?.message ?? 'no reason given'
    return broken(report.state === 'failed' ? 'failed' : 'unknown', reason, { known, report, now })
  }
  if (known === undefined || !pending) return { phase: 'idle', ledger: known }
  if (world.remotes[replica.target.remote]?.ok !== true)
    return {
      phase: 'running',
      ledger: known,
      reason: `${replica.target.remote} can't be asked how the copy is`,
    }
  return broken('unknown', 'nobody saw how the copy ended: relay or target were restarted', {
    known,
    report,
    now,
  })
}

/** A relay's restart loses its watch; the noted operation lets it take the watch up again. */
function foundRunning(
  operation: string,
  { target }: Replica,
  known: CopyLedger | undefined,
  now: Date,
): Judgement {
  const base: CopyLedger = known ?? { state: 'running', attempts: 0, at: now.toISOString() }
  const ledger: CopyLedger = { ...base, remote: target.remote, operation: base.operation ?? operation }
  return {
    phase: 'running',
    ledger,
    reason: 'an operation runs on the target that the relay does not watch yet',
  }
}

function running(report: JobReport, known: CopyLedger | undefined, now: Date): Judgement {
  const same = known?.state === 'running' && known.job === report.id && known.operation === report.operation
  const ledger: CopyLedger = {
    ...(known?.newest === undefined ? {} : { newest: known.newest }),
    state: 'running',
    job: report.id,
    ...(report.remote === undefined ? {} : { remote: report.remote }),
    ...(report.operation === undefined ? {} : { operation: report.operation }),
    ...memoField(report),
    attempts: known?.attempts ?? 0,
    at: same ? known.at : now.toISOString(),
  }
  const progress = report.progress === undefined ? '' : `, ${report.progress}`
  return { phase: 'running', ledger, reason: `the copy is ${report.state} since ${report.since}${progress}` }
}

function landed(
  replica: Replica,
  seen: Seen,
  report: JobReport,
  known: CopyLedger | undefined,
  pending: boolean,
  now: Date,
): Judgement {
  const unlisted = unlistedSide(replica, seen)
  if (unlisted !== null) {
    const ledger = known ?? { state: 'running', job: report.id, attempts: 0, at: now.toISOString() }
    return pending
      ? { phase: 'running', ledger, reason: `not verified yet: ${unlisted}` }
      : { phase: 'idle', ledger }
  }
  const memo = parseMemo(report.memo)
  const source = (replica.source.record.snapshots ?? []).filter(([, createdAt]) => createdAt <= memo.through)
  const target = seen.state === 'there' ? seen.record : undefined
  const before = target === undefined ? [] : verifiedOn(target)
  const fresh = commonPairs(source, target?.snapshots ?? []).filter(
    (pair) => !before.some((old) => samePair(old, pair)),
  )
  const marks = [...before, ...fresh]
  if (fresh.length === 0 && !pending) return { phase: 'idle', ledger: known }
  const newest = newestPair(source)
  if (newest !== null && !marks.some((mark) => samePair(mark, newest))) {
    const reason = `Incus reported success, but ${newest[0]} is not on the target as it is on the source`
    return broken('failed', reason, { known, report, now })
  }
  const common = newestPair(commonPairs(source, marks))
  const ledger: CopyLedger = {
    state: 'verified',
    job: report.id,
    attempts: 0,
    ...(common === null ? {} : { newest: common[0] }),
    at: now.toISOString(),
  }
  return { phase: 'landed', ledger, marks, fresh: fresh.map(([name]) => name), memo }
}

/** Verifying needs both listings; one that is missing says nothing. */
function unlistedSide({ source }: Replica, seen: Seen): string | null {
  if (seen.state === 'unknown') return seen.reason
  if (source.record.snapshots !== null) return null
  return `${source.key}: ${source.record.problem ?? 'its snapshots could not be listed'}`
}

type Ended = { known: CopyLedger | undefined; report: JobReport | null; now: Date }

export function broken(
  state: 'failed' | 'unknown',
  reason: string,
  { known, report, now }: Ended,
): Extract<Judgement, { phase: 'broken' }> {
  const attempts = (known?.attempts ?? 0) + 1
  const ledger: CopyLedger = {
    ...(known?.newest === undefined ? {} : { newest: known.newest }),
    ...(report === null ? memoField(known ?? {}) : memoField(report)),
    ...(report === null ? {} : { job: report.id }),
    state,
    attempts,
    reason,
    retryAt: retryCopyAt(attempts, now),
    at: now.toISOString(),
  }
  return { phase: 'broken', ledger, reason }
}

const memoField = ({ memo }: { memo?: unknown }): { memo?: CopyMemo } =>
  memo === undefined ? {} : { memo: parseMemo(memo) }

/** A memo that isn't ours vouches for nothing. */
function parseMemo(memo: unknown): CopyMemo {
  const { through, extended } = (typeof memo === 'object' && memo !== null ? memo : {}) as Record<
    string,
    unknown
  >
  return {
    through: typeof through === 'number' ? through : 0,
    extended: typeof extended === 'object' && extended !== null ? (extended as Record<string, string>) : {},
  }
}
