/** Makes or refreshes a copy: removals first, then the marks, then the transfer. */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { commonPairs, isIn } from '../../../shared/incus/pairs.ts'
import { type Expiring, expiresAtOf, pairOf, type SourceDetails } from '../../../shared/incus/source.ts'
import { subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { REPLICA_SERVER } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { CheckCopyStep, CopyCheck, CopyStep, Sending } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Owner } from '../busy.ts'
import type { Call } from '../calls.ts'
import { hindranceOn } from '../guard-operation.ts'
import { sleep } from '../operation.ts'
import { verifiedOn } from '../removal.ts'
import { refused } from '../rules.ts'
import { deleteSubjectRequest } from '../subject-requests.ts'
import { leftOut, transferMarks, uuidMark } from './copy-body.ts'
import { refuseUneven } from './copy-even.ts'
import { endangered, extendedOf, postponeEndangered, WINDOW, windowEnd } from './copy-expiries.ts'
import { fitOf, volumeFitOf } from './copy-fit.ts'
import { againstChange, againstCopy, againstRoles, leavingFrom } from './copy-guard.ts'
import { type OnTarget, readProfiles, readSides, type Sides } from './copy-reads.ts'
import { transferCalls } from './copy-transfer.ts'
import { refuseUnlisted } from './copy-unlisted.ts'
import { expiryCall, markCall, removeCall, STEP_WAIT } from './requests.ts'
import type { PlanStep, StepIo } from './step-io.ts'

export const planCopy: PlanStep<CopyStep> = async (step, io, job) => {
  const { source, target } = step
  const busy = await beginWhenFree(step, io, job)
  if (busy !== null) return err(busy)
  const sides = await sidesOf(step, io)
  if (!sides.ok) return sides
  const { details, target: copy } = sides.value
  io.arrivals.begins(subjectKey(target))
  for (const pair of mirrored(step, sides.value, io))
    io.journal.losses.mayGo(subjectKey(target), pair, io.clock.now())
  const until = windowEnd(io)
  const sending = { ...step, verified: verifiedAfter(step, copy, io) }
  return ok({
    calls: [
      ...clearing(sending),
      ...marking(sending, details),
      ...lifting(sending, copy?.snapshots ?? []),
      ...postponeEndangered(source, details, until, io),
    ],
    next: async () => {
      const changed = step.first ? ok(null) : await refuseChanged(step, sides.value, until, io)
      if (!changed.ok) return changed
      return ok({
        calls: transferCalls(sending, details, WINDOW),
        done: () => io.arrivals.note(subjectKey(target), step.transfer.id),
      })
    },
  })
}

/** What the refresh removes there: the source no longer has it, or not for long. */
function mirrored({ source }: CopyStep, { details, target }: Sides, io: StepIo): SnapshotPair[] {
  const leaving = leavingFrom(source, details, io)
  const stays = details.snapshots.map(pairOf).filter((pair) => !isIn(leaving, pair))
  return (target?.sighting.snapshots ?? []).filter((pair) => !isIn(stays, pair))
}

/** Milliseconds that a copy waits for what ends soon, as the verification of another one. */
const PATIENCE = 60_000

async function beginWhenFree({ source, target }: Sending, io: StepIo, job: Owner): Promise<CallError | null> {
  const until = io.clock.now() + PATIENCE
  for (;;) {
    const busy =
      io.busy.begin(job, subjectKey(source), 'sends') ?? io.busy.begin(job, subjectKey(target), 'receives')
    if (busy === null || io.clock.now() >= until) return busy
    await sleep(io.clock, 500)
  }
}

/** Incus compares both sides only when the transfer begins, so they are looked at once more, as late as can be. */
async function refuseChanged(
  sending: Sending,
  sides: Sides,
  until: Date,
  io: StepIo,
): Promise<Result<null, CallError>> {
  const now = await readSides(sending, io)
  if (!now.ok) return now
  const uneven = await refuseUneven(sending.source, now.value.details, io)
  if (!uneven.ok) return uneven
  // Last: what is being removed is listed until it is gone.
  const hindrance = await hindranceOn(io.upstream, sending.source)
  if (!hindrance.ok) return hindrance
  const why =
    uneven.value ??
    againstChange(sending, sides, now.value) ??
    againstEndDuring(now.value.details, until, io) ??
    (hindrance.value === null ? null : `on the source Incus is not done with "${hindrance.value}"`)
  return why === null ? ok(null) : err(notMade(sending, why))
}

/** All that would end were postponed: somebody has set this since. */
function againstEndDuring(details: SourceDetails, until: Date, { clock }: StepIo): string | null {
  const [one] = endangered(details, clock.now(), until)
  return one === undefined ? null : `${one.name} was set to end at ${one.expiresAt} just now`
}

/** Why it would fail, what will differ, and what the copy's action has to record. */
export const planCheckCopy: PlanStep<CheckCopyStep> = async (step, io) => {
  const roles = againstRoles(step, io)
  if (roles !== null) return ok({ calls: [], reply: refusalOf(step, roles) })
  const sides = await readSides(step, io)
  if (!sides.ok) return sides
  const { details, target } = sides.value
  const unlisted = refuseUnlisted(step, details.snapshots, target?.snapshots ?? [])
  const uneven = await refuseUneven(step.source, details, io)
  if (!uneven.ok) return uneven
  const rules = unlisted === null ? (uneven.value ?? againstCopy(step, sides.value, io)) : null
  if (rules !== null) return ok({ calls: [], reply: refusalOf(step, rules) })
  const fit =
    volumeIn(step.target.instance) === null
      ? fitOf(step, details, await readProfiles(step.target, io), step.rules ?? undefined)
      : await volumeFitOf(step, io)
  const reply: CopyCheck = {
    refusal: unlisted ?? fit.refusal,
    warnings: [...fit.warnings, ...warningsOf(step, details)],
    extended: extendedOf(step, details, io),
    verified: verifiedAfter(step, target, io),
  }
  return ok({ calls: [], reply })
}

const refusalOf = (sending: Sending, why: string): CopyCheck => ({
  ...{ refusal: notMade(sending, why).message, warnings: [], extended: {}, verified: [] },
})

const notMade = ({ source, target }: Sending, why: string): CallError =>
  refused(`copy ${subjectKey(source)} to ${subjectKey(target)}`, why)

function warningsOf({ first, target }: Sending, details: SourceDetails): string[] {
  const omitted = first ? leftOut(details) : []
  return omitted.length === 0
    ? []
    : [
        `the copy on ${target.remote} is made without ${omitted.join(', ')}, by which it could reach its host there; add it again if the copy takes over`,
      ]
}

async function sidesOf(sending: Sending, io: StepIo): Promise<Result<Sides, CallError>> {
  const roles = againstRoles(sending, io)
  if (roles !== null) return err(notMade(sending, roles))
  const sides = await readSides(sending, io)
  if (!sides.ok) return sides
  const why = againstCopy(sending, sides.value, io)
  return why === null ? sides : err(notMade(sending, why))
}

/** What stays marked as verified: all that is known and listed. What comes with this transfer is verified again. */
function verifiedAfter(
  { target: at, startOver, transfer: coming }: Sending,
  target: OnTarget | null,
  io: StepIo,
): SnapshotPair[] {
  if (target === null || startOver) return []
  const known = commonPairs(target.sighting.snapshots ?? [], verifiedOn(at, target.sighting, io))
  return known.filter(([name]) => !coming.names.includes(name))
}

/** Removes unverified snapshots of an earlier transfer first, so that no partial one counts as complete. */
function clearing({ target, startOver, unverified }: Sending): Call[] {
  if (!startOver) return unverified.map((snapshot) => removeCall(target, snapshot))
  return [{ remote: target.remote, wait: STEP_WAIT, tolerate: [404], ...deleteSubjectRequest(target) }]
}

/** From here on what comes counts as unverified, and from that server; a first copy is created with these marks. */
const marking = (sending: Sending, details: SourceDetails): Call[] =>
  sending.first
    ? []
    : [
        markCall(sending.target, {
          ...transferMarks(sending),
          [REPLICA_SERVER]: sending.sourceServer,
          ...uuidMark(details),
        }),
      ]

/** Lifts the expiry of snapshots that the copy must keep, in case no other transfer follows for long. */
const lifting = ({ target, lasting }: Sending, onTarget: readonly Expiring[]): Call[] =>
  onTarget
    .filter(({ name, expiresAt }) => lasting.includes(name) && expiresAtOf(expiresAt) !== null)
    .map(({ name }) => expiryCall(target, name, null))
