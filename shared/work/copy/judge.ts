/** Judges the outcome of a replica's last transfer, by what both sides list. */

import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { commonPairs, isIn, newestPair } from '../../incus/pairs.ts'
import { classify, describe } from '../../incus/refusal.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Installation } from '../../plan/installation.ts'
import { minRetentionOf, serverOf, type World } from '../../plan/world.ts'
import type { CallError, JobReport } from '../../relay/protocol.ts'
import { failedOf, failedTry, isLive, isPending, liveText, reportOn, seenRunning } from '../life.ts'
import { COPY, type CopyMemo, type CopyWork } from './entry.ts'
import { expiredIn } from './expired.ts'
import { knownVerified, renderVerified } from './marks.ts'
import { memoField, parseMemo } from './memo.ts'
import { putOffUntil } from './put-off.ts'
import { refuseForeign } from './refuse-target.ts'
import { type Replica, type Seen, transferOn } from './replica.ts'
import { RETRY } from './retry.ts'
import { isBrought, isVerified, transferId, unfinishedOn } from './transfer.ts'

export type Judgement =
  | { phase: 'running'; entry: CopyWork; reason: string }
  /** It succeeded, and both sides were listed after that: these pairs are verified now. */
  | {
      phase: 'completed'
      entry: CopyWork
      marks: SnapshotPair[]
      fresh: string[]
      /** What came with it as well, and isn't verified. */
      rest: string[]
      memo: CopyMemo
    }
  /** It failed, or its outcome is unknown. */
  | { phase: 'broken'; entry: CopyWork; reason: string }
  | { phase: 'idle'; entry: CopyWork | undefined }

export type Judging = {
  replica: Replica
  seen: Seen
  world: World
  known: CopyWork | undefined
  now: Date
  installation: Installation
}

/** After a success both listings are waited for so long. */
const LISTING_MINUTES = 60
/** A copy counts as running for so long, while its target gives no answer. */
const UNSEEN_MINUTES = 24 * 60

export function judge(judging: Judging): Judgement {
  const { replica, world, known, now } = judging
  const report = reportOn(workKey(COPY, replica.key), known, world.jobs)
  if (report !== null && isLive(report)) return running(report, known, now)
  const unwatched = transferOn(world, replica.target)
  if (report?.state === 'done') {
    if (unwatched !== null) return foundRunning(unwatched.id, replica, known, now)
    return ended(judging, report)
  }
  if (unwatched !== null && report?.state !== 'failed') return foundRunning(unwatched.id, replica, known, now)
  if (known !== undefined && !isPending(known)) return { phase: 'idle', entry: known }
  if (report !== null) {
    const { state, error } = report
    // For an unknown outcome the advice would be to check, which is being done.
    const reason =
      error === undefined
        ? 'no reason was given'
        : state === 'failed'
          ? failure(error, replica)
          : error.message
    return broken(state === 'failed' ? 'failed' : 'unknown', reason, { known, report, now })
  }
  if (known === undefined) return { phase: 'idle', entry: known }
  const remote = own(world.remotes, replica.target.remote)
  if (remote?.ok !== true && isWithin(UNSEEN_MINUTES, known.at, now))
    return {
      phase: 'running',
      entry: known,
      reason: `${replica.target.remote} can't be queried, so it is not known how far the copy is`,
    }
  const reason = 'it is not known how the copy ended: the relay or the target was restarted'
  return broken('unknown', reason, { known, report, now })
}

/** Adds the names with quote marks, which Incus's error doesn't name. */
function failure(error: CallError, { source }: Replica): string {
  const said = describe(error)
  if (classify(error) !== 'quoted') return said
  const names = (source.record.snapshots ?? []).map(([name]) => name).filter((name) => /["']/.test(name))
  return names.length === 0 ? said : `${said}: ${names.join(', ')}`
}

const isWithin = (minutes: number, since: string, now: Date): boolean =>
  now.getTime() - new Date(since).getTime() < minutes * 60_000

/** A restarted relay doesn't know the transfer; by the noted operation it can adopt it. */
function foundRunning(
  operation: string,
  { target }: Replica,
  known: CopyWork | undefined,
  now: Date,
): Judgement {
  const base: CopyWork = known ?? { state: 'running', attempts: 0, at: now.toISOString() }
  const entry: CopyWork = { ...base, remote: target.remote, operation: base.operation ?? operation }
  return {
    phase: 'running',
    entry,
    reason: 'an operation runs on the target, and the relay does not watch it yet',
  }
}

/** Fields that are kept, whatever the outcome of a transfer. */
const lasting = (
  known: CopyWork | undefined,
): Pick<CopyWork, 'newest' | 'verified' | 'expired' | 'least' | 'took' | 'putOff'> => ({
  ...(known?.newest === undefined ? {} : { newest: known.newest }),
  ...(known?.verified === undefined ? {} : { verified: known.verified }),
  ...(known?.expired === undefined ? {} : { expired: known.expired }),
  ...(known?.least === undefined ? {} : { least: known.least }),
  ...(known?.took === undefined ? {} : { took: known.took }),
  ...(known?.putOff === undefined ? {} : { putOff: known.putOff }),
})

function running(report: JobReport, known: CopyWork | undefined, now: Date): Judgement {
  const entry: CopyWork = {
    ...lasting(known),
    ...cancelledBy(known, report),
    state: known?.state ?? 'started',
    ...memoField(report),
    ...failedOf(known),
    at: known?.at ?? now.toISOString(),
    ...(known?.job === report.id ? operationOf(known) : {}),
  }
  return {
    phase: 'running',
    entry: seenRunning(entry, report, now),
    reason: liveText('the copy', report),
  }
}

const operationOf = ({
  job,
  remote,
  operation,
}: CopyWork): Pick<CopyWork, 'job' | 'remote' | 'operation'> => ({
  ...(job === undefined ? {} : { job }),
  ...(remote === undefined ? {} : { remote }),
  ...(operation === undefined ? {} : { operation }),
})

/** A success only counts if the copy has the mark of that very transfer, is ours, and no operation runs on it. */
function ended(judging: Judging, report: JobReport): Judgement {
  const { replica, seen, known, now, world } = judging
  const unlisted = unlistedSide(replica, seen)
  if (unlisted !== null) return waitForListing(judging, report, unlisted)
  const fail = (reason: string): Judgement =>
    isPending(known) ? broken('failed', reason, { known, report, now }) : { phase: 'idle', entry: known }
  if (seen.state !== 'there') return fail('Incus reported success, but the copy is not there')
  const server = serverOf(world, replica.source.ref.remote)
  const { installation } = judging
  const foreign = refuseForeign(replica, seen.record, { server, installation })
  if (foreign !== null) return fail(foreign)
  const transfer = unfinishedOn(seen.record)
  if (!isVerified(transfer) && transfer?.id !== transferId(replica.key, report.id))
    return isPending(known)
      ? broken('unknown', 'another transfer to the copy began in the meantime', { known, report, now })
      : { phase: 'idle', entry: known }
  return completed(judging, report, seen.record)
}

function completed(judging: Judging, report: JobReport, target: InstanceRecord): Judgement {
  const { replica, known, now, world } = judging
  const memo = parseMemo(report.memo)
  const source = vouchedFor(replica, memo, world)
  const listed = target.snapshots ?? []
  const before = knownVerified(target, known)
  const transfer = unfinishedOn(target)
  // The verification changes the mark, so it was done already.
  if (isVerified(transfer) && !isPending(known)) return { phase: 'idle', entry: known }
  const brought = listed.filter(
    (pair) => transfer !== null && isBrought(transfer, pair) && !isIn(before, pair),
  )
  const fresh = isVerified(transfer) ? [] : commonPairs(source, brought)
  const marks = [...before.filter((pair) => isIn(listed, pair) || isIn(source, pair)), ...fresh]
  const newest = newestPair(source)
  if (newest !== null && !isIn(commonPairs(listed, marks), newest)) {
    // Already reported: the relay reports that success for a day, and the next try must not wait so long.
    if (!isPending(known)) return { phase: 'idle', entry: known }
    const reason = isIn(listed, newest)
      ? `Incus reported success, but ${newest[0]} can't be verified: the copy lacks the mark of that transfer. An older version of stapes started it, or its marks were changed`
      : `Incus reported success, but the target does not list ${newest[0]} with the same date as the source`
    return broken('failed', reason, { known, report, now })
  }
  const common = newestPair(commonPairs(source, commonPairs(listed, marks)))
  const putOff = known?.putOff === undefined ? {} : { [known.putOff.snapshot]: known.putOff.own }
  const extended = { ...putOff, ...memo.extended }
  return {
    phase: 'completed',
    entry: verifiedEntry(judging, report, { marks, common, extended }),
    marks,
    fresh: fresh.map(([name]) => name),
    rest: brought.filter((pair) => !isIn(fresh, pair)).map(([name]) => name),
    memo: { ...memo, extended },
  }
}

/**
 * Source snapshots that a success of the job can verify. One that may be partial on the source may be so on
 * the copy.
 */
const vouchedFor = ({ source }: Replica, memo: CopyMemo, { incomplete }: World): SnapshotPair[] =>
  (source.record.snapshots ?? []).filter(
    ([name, createdAt]) =>
      createdAt <= memo.through &&
      memo.stale?.includes(name) !== true &&
      !incomplete.has(`${source.key}/${name}`),
  )

function verifiedEntry(
  { known, now, replica, world }: Judging,
  report: JobReport,
  {
    marks,
    common,
    extended,
  }: { marks: SnapshotPair[]; common: SnapshotPair | null; extended: Record<string, string> },
): CopyWork {
  // Incus's own form of a date has no fraction, and the ledger's has one.
  const end = Date.parse((common === null ? undefined : own(extended, common[0])) ?? '')
  const itsOwn = Number.isNaN(end) ? undefined : new Date(end).toISOString()
  return {
    state: 'verified',
    job: report.id,
    attempts: 0,
    ...(common === null ? {} : { newest: common[0] }),
    verified: renderVerified(marks),
    ...expiredIn(known?.expired, marks),
    ...leastSeen(replica, world),
    ...tookOf(known, report),
    ...(common === null || itsOwn === undefined
      ? {}
      : { putOff: { snapshot: common[0], own: itsOwn, until: putOffUntil(now) } }),
    at: now.toISOString(),
  }
}

/** Also that there is no rule: an entry without it says that it isn't known. */
export function leastSeen({ target }: Replica, world: World): Pick<CopyWork, 'least'> {
  const least = minRetentionOf(world, target.remote)
  return least === null ? {} : { least }
}

/** Since it was first observed running, or started; unknown if it was never observed. */
function tookOf(known: CopyWork | undefined, { id, since }: JobReport): Pick<CopyWork, 'took'> {
  const seconds = known?.job === id ? (Date.parse(since) - Date.parse(known.at)) / 1000 : Number.NaN
  if (isPending(known) && seconds >= 0) return { took: seconds }
  return known?.took === undefined ? {} : { took: known.took }
}

/** Verifying needs both listings. A missing one is waited for, but not without end. */
function waitForListing({ known, now }: Judging, report: JobReport, unlisted: string): Judgement {
  if (!isPending(known)) return { phase: 'idle', entry: known }
  const entry = known ?? { state: 'running', job: report.id, attempts: 0, at: now.toISOString() }
  return isWithin(LISTING_MINUTES, report.since, now)
    ? { phase: 'running', entry, reason: `not verified yet: ${unlisted}` }
    : broken('unknown', `it ended, but could not be verified: ${unlisted}`, { known, report, now })
}

function unlistedSide({ source }: Replica, seen: Seen): string | null {
  if (seen.state === 'unknown') return seen.reason
  if (source.record.snapshots !== null) return null
  return `${source.key}: ${source.record.problem ?? 'its snapshots could not be listed'}`
}

/** While it runs, or as its job tells; a later try isn't cancelled. */
function cancelledBy(known: CopyWork | undefined, report: JobReport | null): Pick<CopyWork, 'cancelled'> {
  if (isPending(known) && known?.cancelled !== undefined) return { cancelled: known.cancelled }
  return report?.error?.code === 'cancelled' ? { cancelled: report.since } : {}
}

type Ended = { known: CopyWork | undefined; report: JobReport | null; now: Date }

export function broken(
  state: 'failed' | 'unknown',
  reason: string,
  { known, report, now }: Ended,
): Extract<Judgement, { phase: 'broken' }> {
  const entry: CopyWork = {
    ...lasting(known),
    ...(report === null ? memoField(known ?? {}) : memoField(report)),
    ...(report === null ? {} : { job: report.id }),
    ...cancelledBy(known, report),
    state,
    attempts: known?.attempts ?? 0,
    at: now.toISOString(),
  }
  return { phase: 'broken', entry: failedTry(entry, { state, reason, now }, RETRY), reason }
}
