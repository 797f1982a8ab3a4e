/**
 * Marks what a transfer brought as verified. What was verified before stays marked as long as it is listed; what
 * is new has to be listed with the date that it has or had on the source, and to have come with a transfer whose
 * success this relay saw. Nothing else is marked, whatever the caller says.
 */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { commonPairs, isIn } from '../../../shared/incus/pairs.ts'
import { type Expiring, endsOf, expiresAtOf, parseExpiries } from '../../../shared/incus/source.ts'
import { subjectKey } from '../../../shared/incus/subject.ts'
import { COPYING, OWNER, PROTECTION, VERIFIED } from '../../../shared/policy/marks.ts'
import type { VerifyStep } from '../../../shared/relay/steps.ts'
import { err, ok } from '../../../shared/result.ts'
import { renderVerified } from '../../../shared/work/copy/marks.ts'
import { isBrought, renderTransfer, restOf, unfinishedOn } from '../../../shared/work/copy/transfer.ts'
import type { Owner } from '../busy.ts'
import type { Call } from '../calls.ts'
import { againstEnd, removalFrom, standingOf, verifiedOn } from '../removal.ts'
import { isTarget, notTarget, refused } from '../rules.ts'
import { replicaOf, type Sighting } from '../sightings.ts'
import { expiryCall, markCall, removeCall } from './requests.ts'
import { againstExpiryOf, readExpiries } from './snapshots.ts'
import type { PlanStep, StepIo } from './step-io.ts'

/** Milliseconds. */
const SHORTLY = 120_000

export const planVerify: PlanStep<VerifyStep> = async (step, io, job) => {
  const { source, target } = step
  const refusal = (why: string) => err(refused(`mark ${subjectKey(target)} as verified`, why))
  if (!isTarget(io.remotes, target.remote)) return refusal(notTarget(target.remote))
  const busy = io.busy.begin(job, subjectKey(target), 'receives')
  if (busy !== null) return err(busy)
  const [read, original] = await Promise.all([io.sightings.readAll(target), io.sightings.read(source)])
  if (!read.ok) return read
  const copy = ok(read.value.sighting)
  if (!original.ok) return original
  if (replicaOf(copy.value) !== subjectKey(source)) return refusal(`it is no copy of ${subjectKey(source)}`)
  const listed = copy.value.snapshots ?? []
  const before = commonPairs(listed, verifiedOn(target, copy.value, io))
  // Of others than the transfer's the caller's word is no proof: what was never verified would count as the newest.
  const transfer = unfinishedOn(copy.value)
  const fresh = commonPairs(listed, step.marks).filter(
    (pair) => !isIn(before, pair) && transfer !== null && isBrought(transfer, pair),
  )
  const hasArrived = transfer !== null && io.arrivals.has(subjectKey(target), transfer.id)
  const unproven = fresh.find((pair) => !hasArrived || !wasOnSource(pair, source, original.value, io))
  if (unproven !== undefined) return refusal(`no transfer is known to have brought ${unproven[0]}`)
  const verified = commonPairs(listed, [...before, ...fresh])
  const ends = targetEnds(step, verified, copy.value, io)
  const calls = [...ends].map(([name, end]) => ({ end, call: expiryCall(target, name, end) }))
  const after = endsAfter(verified, read.value.rows, ends)
  // If this is cut off, either may hold.
  io.journal.losses.know(
    subjectKey(target),
    endsAfter(verified, read.value.rows, new Map()).map(([pair, end], at) => [
      pair,
      earlier(end, after[at]?.[1] ?? null),
    ]),
  )
  return ok({
    calls: [
      // If this is cut off, the newest that is marked must last: first what lasts, then the mark, then what ends.
      ...calls.filter(({ end }) => end === null).map((one) => one.call),
      markCall(target, marksOf(step, verified)),
      ...calls.filter(({ end }) => end !== null).map((one) => one.call),
      ...(await sourceExpiries(step, original.value, job, io)),
      ...(step.protect ? [markCall(target, { [PROTECTION]: 'true' })] : []),
    ],
    done: () => {
      io.journal.setVerified(subjectKey(target), verified)
      io.journal.losses.know(subjectKey(target), after)
      io.sightings.forget(target)
    },
    // By what the source has then: all that was before may have taken its time.
    next: async () => ok({ calls: await overdueRemovals(step, job, io) }),
  })
}

/** It still is, or has expired there since. */
const wasOnSource = (
  pair: SnapshotPair,
  source: VerifyStep['source'],
  { snapshots }: Sighting,
  { journal }: StepIo,
): boolean =>
  isIn(snapshots ?? [], pair) || journal.expired(subjectKey(source)).includes(renderVerified([pair]))

function marksOf({ rest, owner }: VerifyStep, verified: readonly SnapshotPair[]): Record<string, string> {
  const left = restOf(rest)
  return {
    [VERIFIED]: renderVerified(verified),
    [COPYING]: left === null ? '' : renderTransfer(left),
    [OWNER]: owner,
  }
}

/** By name, what is set (ISO 8601; null: never). An expiry that the rules don't allow isn't: the snapshot stays longer. */
function targetEnds(
  { target, expiries }: VerifyStep,
  verified: readonly SnapshotPair[],
  seen: Sighting,
  io: StepIo,
): ReadonlyMap<string, string | null> {
  const standing = { ...standingOf(target, seen, io), verified }
  const { listed } = standing
  const set = expiries.flatMap(({ snapshot, expiresAt }): [string, string | null][] => {
    const pair = listed.find(([name]) => name === snapshot)
    if (pair === undefined || !isIn(verified, pair)) return []
    const end = expiresAt === null ? null : aheadOf(Date.parse(expiresAt), io)
    const isTooEarly =
      end !== null && againstEnd(target, pair, { end: end.getTime() / 1000, standing }, io) !== null
    return isTooEarly ? [] : [[snapshot, end === null ? null : end.toISOString()]]
  })
  return new Map(set)
}

/** Null: never. */
const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other)

/** When each ends after that (milliseconds since the epoch). Where Incus doesn't say, it may at any time. */
function endsAfter(
  verified: readonly SnapshotPair[],
  rows: unknown,
  set: ReadonlyMap<string, string | null>,
): [SnapshotPair, number | null][] {
  const parsed = parseExpiries(rows)
  const shown = parsed.ok ? endsOf(parsed.value) : new Map<string, number | null>()
  return verified.map((pair) => {
    const [name] = pair
    const end = set.get(name)
    if (end === undefined) return [pair, shown.has(name) ? (shown.get(name) ?? null) : 0]
    return [pair, end === null ? null : Date.parse(end)]
  })
}

/**
 * Their own expiries again, after they were postponed for the transfer. One that somebody has set since stays, whatever
 * the caller says, and so do those of which a lost journal knows nothing: they end up to a week later. What can't be
 * given back now, as while another copy runs, is given back after the next one.
 */
async function sourceExpiries(
  { source, restore }: VerifyStep,
  seen: Sighting,
  by: Owner,
  io: StepIo,
): Promise<Call[]> {
  const calls: Call[] = []
  const rows = await postponedOn(source, restore, io)
  for (const { row, noted, shown } of rows) {
    // The caller's is as old as its plan: somebody may have set another one before it was postponed.
    const end = aheadOf(noted, io)
    // It ends as early by itself; or it goes below.
    if (end.getTime() >= shown || isOverdue(source, noted, io)) continue
    const why = againstExpiryOf(
      source,
      seen,
      { snapshot: row.name, end, by, rows: rows.map((one) => one.row) },
      io,
    )
    if (why.ok && why.value === null)
      calls.push(expiryCall(source, row.name, end.toISOString(), row.expiresAt))
  }
  return calls
}

/**
 * Where its own end has passed, the relay removes the snapshot: the next copy may begin, and postpone it again, before
 * Incus would. What the rules keep, as what stapes did not take, gets its end from Incus some minutes from now.
 */
async function overdueRemovals({ source, restore }: VerifyStep, by: Owner, io: StepIo): Promise<Call[]> {
  const rows = await postponedOn(source, restore, io)
  const overdue = rows.filter(({ noted }) => isOverdue(source, noted, io))
  const seen = overdue.length === 0 ? null : await io.sightings.read(source)
  if (seen?.ok !== true) return []
  const calls: Call[] = []
  for (const { row, noted, shown } of overdue) {
    const { name: snapshot, expiresAt } = row
    const gone = removalFrom(source, seen.value, { snapshot, by }, io)
    if (gone.ok && gone.value === null) {
      calls.push({ ...removeCall(source, snapshot), ifExpiresAt: expiresAt, optional: true })
      continue
    }
    const end = aheadOf(noted, io)
    const why = againstExpiryOf(
      source,
      seen.value,
      { snapshot, end, by, rows: rows.map((one) => one.row) },
      io,
    )
    if (end.getTime() < shown && why.ok && why.value === null)
      calls.push({ ...expiryCall(source, snapshot, end.toISOString(), expiresAt), optional: true })
  }
  return calls
}

/** Only by a clock that agrees with the server's, which would remove it by its own. */
const isOverdue = (source: VerifyStep['source'], noted: number, { clock, sightings }: StepIo): boolean =>
  noted <= clock.now() && sightings.isOnTime(source.remote)

type Postponed = { row: Expiring; noted: number; shown: number }

/** Those of the named ones that still have the end that a copy gave them; `noted` is their own. Milliseconds. */
async function postponedOn(
  source: VerifyStep['source'],
  restore: VerifyStep['restore'],
  io: StepIo,
): Promise<Postponed[]> {
  const present = restore.length === 0 ? ok([]) : await readExpiries(source, io)
  const rows = present.ok ? present.value : []
  return restore.flatMap(({ snapshot }): Postponed[] => {
    const row = rows.find(({ name }) => name === snapshot)
    const shown = expiresAtOf(row?.expiresAt ?? '')?.getTime() ?? null
    const noted = io.journal.postponed(subjectKey(source), snapshot, shown)
    return row === undefined || noted === null || shown === null ? [] : [{ row, noted, shown }]
  })
}

/** One that has passed meanwhile would have Incus remove the snapshot at once: it gets some minutes. */
const aheadOf = (end: number, { clock }: StepIo): Date => new Date(Math.max(end, clock.now() + SHORTLY))
