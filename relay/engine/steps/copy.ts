/** Makes or refreshes a copy: removals first, then the marks, then both operations in the mode's order. */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { commonPairs } from '../../../shared/incus/pairs.ts'
import { request } from '../../../shared/incus/routes.ts'
import { isAddressable } from '../../../shared/incus/snapshot-name.ts'
import { type Expiring, expiresAtOf, pairOf, type SourceDetails } from '../../../shared/incus/source.ts'
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { REPLICA_SERVER } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { CheckCopyStep, CopyCheck, CopyStep, Sending } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Doer } from '../busy.ts'
import type { Call } from '../calls.ts'
import { hindranceOn } from '../guard-operation.ts'
import { sleep } from '../operation.ts'
import { verifiedOn } from '../removal.ts'
import { refused } from '../rules.ts'
import { leftOut, replicaBody, transferMarks, uuidMark } from './copy-body.ts'
import { refuseUneven } from './copy-even.ts'
import { fitOf } from './copy-fit.ts'
import { againstChange, againstCopy, againstRoles } from './copy-guard.ts'
import { type OnTarget, readProfiles, readSides, type Sides } from './copy-reads.ts'
import { refuseUnlisted } from './copy-unlisted.ts'
import { expiryCall, markCall, removeCall, STEP_WAIT, where } from './requests.ts'
import type { PlanStep, StepIo } from './step-io.ts'

/** No source snapshot may expire during the transfer: Incus would report success for an empty copy. */
export const WINDOW_DAYS = 7
/** The relay waits so long; a longer transfer is reported as `running` and observed again. In seconds. */
const COPY_WAIT = WINDOW_DAYS * 86_400

export const planCopy: PlanStep<CopyStep> = async (step, io, job) => {
  const { source, target } = step
  const busy = await beginWhenFree(step, io, job)
  if (busy !== null) return err(busy)
  const sides = await sidesOf(step, io)
  if (!sides.ok) return sides
  const { details, target: copy } = sides.value
  io.arrivals.begins(subjectKey(target))
  noteEnds(source, details, io)
  const sending = { ...step, verified: verifiedAfter(step, copy, io) }
  return ok({
    calls: [
      ...clearing(sending),
      ...marking(sending, details),
      ...lifting(sending, copy?.snapshots ?? []),
      ...endangered(details, io).map(({ name }) => expiryCall(source, name, until(io).toISOString())),
    ],
    next: async () => {
      const changed = step.first ? ok(null) : await refuseChanged(step, sides.value, io)
      if (!changed.ok) return changed
      return ok({
        calls: transfer(sending, details),
        done: () => io.arrivals.note(subjectKey(target), step.transfer.id),
      })
    },
  })
}

/** Milliseconds that a copy waits for what ends soon, as the verification of another one. */
const PATIENCE = 60_000

async function beginWhenFree({ source, target }: Sending, io: StepIo, job: Doer): Promise<CallError | null> {
  const until = io.clock.now() + PATIENCE
  for (;;) {
    const busy =
      io.busy.begin(job, subjectKey(source), 'sends') ?? io.busy.begin(job, subjectKey(target), 'receives')
    if (busy === null || io.clock.now() >= until) return busy
    await sleep(io.clock, 500)
  }
}

/** Incus compares both sides only when the transfer begins, so they are looked at once more, as late as can be. */
async function refuseChanged(sending: Sending, sides: Sides, io: StepIo): Promise<Result<null, CallError>> {
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
    (hindrance.value === null ? null : `on the source Incus is not done with "${hindrance.value}"`)
  return why === null ? ok(null) : err(notMade(sending, why))
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
  const fit = fitOf(step, details, await readProfiles(step.target, io), step.rules ?? undefined)
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
  const uneven = await refuseUneven(sending.source, sides.value.details, io)
  if (!uneven.ok) return uneven
  const why = uneven.value ?? againstCopy(sending, sides.value, io)
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

const until = ({ clock }: StepIo): Date => new Date(clock.now() + WINDOW_DAYS * 86_400_000)

const endangered = ({ snapshots }: SourceDetails, io: StepIo): Expiring[] =>
  snapshots.filter(({ name, expiresAt }) => {
    const end = expiresAtOf(expiresAt)
    return end !== null && end.getTime() > io.clock.now() && end < until(io) && isAddressable(name)
  })

/** With what an earlier try postponed: of that the snapshot's own expiry is known from then. */
function extendedOf(
  { source, extended }: Sending,
  details: SourceDetails,
  io: StepIo,
): Record<string, string> {
  const ownOf = ({ name, expiresAt }: Expiring): string => {
    const noted = io.journal.postponed(subjectKey(source), name, Date.parse(expiresAt))
    if (noted === undefined) return own(extended, name) ?? expiresAt
    // Somebody has set another one since: that is its own from now on.
    return noted === 'changed' ? expiresAt : new Date(noted).toISOString()
  }
  return {
    ...extended,
    ...Object.fromEntries(endangered(details, io).map((one) => [one.name, ownOf(one)])),
  }
}

/**
 * When Incus removes what: from then on it counts as expired. And what is about to be postponed, so that it can be
 * set again. Both go by what Incus says, not the caller.
 */
function noteEnds(source: InstanceRef, details: SourceDetails, io: StepIo): void {
  const { journal, sightings } = io
  const key = subjectKey(source)
  for (const one of details.snapshots) {
    const { name, expiresAt } = one
    // What is being removed was noted as removed, whatever its expiry is.
    if (sightings.isGoing(source, pairOf(one))) continue
    const shown = expiresAtOf(expiresAt)?.getTime()
    const before = journal.postponed(key, name, shown ?? null)
    const end = typeof before === 'number' ? before : shown
    journal.noteEnd(key, pairOf(one), end === undefined ? null : Math.floor(end / 1000))
  }
  for (const { name, expiresAt } of endangered(details, io))
    journal.postpone(key, name, Date.parse(expiresAt), until(io).getTime())
}

/** Removes unverified snapshots of an earlier transfer first, so that no partial one counts as complete. */
function clearing({ target, startOver, unverified }: Sending): Call[] {
  if (!startOver) return unverified.map((snapshot) => removeCall(target, snapshot))
  const { parameters, query } = where(target)
  const gone = request('deleteInstance', parameters, query)
  return [{ remote: target.remote, wait: STEP_WAIT, tolerate: [404], ...gone }]
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

/** Both operations; the later one refers to the earlier one. */
function transfer(sending: Sending, details: SourceDetails): Call[] {
  const { source, target } = sending
  const reach = (server: string) => ({
    operation: { $operationUrl: 0 },
    secrets: { $step: 0, pointer: '/metadata/metadata' },
    certificate: { $certificate: server },
  })
  if (sending.transferMode === 'pull')
    return [
      { ...send(sending, {}), cancelOnFailure: true },
      { ...receive(sending, details, { mode: 'pull', ...reach(source.remote) }), wait: COPY_WAIT },
    ]
  return [
    receive(sending, details, { mode: 'push' }),
    { ...send(sending, { target: reach(target.remote) }), wait: COPY_WAIT, alsoWaitFor: 0 },
  ]
}

function send({ source, inconsistent }: Sending, extra: object): Call {
  const { parameters, query } = where(source)
  const how = { live: false, instance_only: false, allow_inconsistent: inconsistent }
  const body = { migration: true, ...how, ...extra }
  return { remote: source.remote, ...request('sendInstance', parameters, query, body) }
}

function receive(sending: Sending, details: SourceDetails, origin: object): Call {
  const { target, member, first, inconsistent } = sending
  const query = member === null ? { project: target.project } : { project: target.project, target: member }
  const source = {
    type: 'migration',
    live: false,
    instance_only: false,
    allow_inconsistent: inconsistent,
    ...(first ? {} : { refresh: true, refresh_exclude_older: sending.excludeOlder }),
    ...origin,
  }
  const body = { ...replicaBody(sending, details), source }
  return { remote: target.remote, ...request('receiveInstance', {}, query, body) }
}
