/** Makes or refreshes a copy: removals first, then the marks, then both operations in the mode's order. */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { commonPairs, isIn } from '../../../shared/incus/pairs.ts'
import { request } from '../../../shared/incus/routes.ts'
import { isAddressable } from '../../../shared/incus/snapshot-name.ts'
import { type Expiring, expiresAtOf, type SourceDetails } from '../../../shared/incus/source.ts'
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { REPLICA_SERVER } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { CheckCopyStep, CopyCheck, CopyStep, Sending } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { isBrought } from '../../../shared/work/copy/transfer.ts'
import type { Call } from '../calls.ts'
import { verifiedOn } from '../removal.ts'
import { refused } from '../rules.ts'
import { leftOut, replicaBody, transferMarks, uuidMark } from './copy-body.ts'
import { fitOf } from './copy-fit.ts'
import { againstCopy, againstRoles } from './copy-guard.ts'
import { type OnTarget, readProfiles, readSides, type Sides } from './copy-reads.ts'
import { refuseUnlisted } from './copy-unlisted.ts'
import { expiryCall, markCall, removeCall, STEP_WAIT, where } from './requests.ts'
import type { PlanStep, StepIo } from './step-io.ts'

/** No source snapshot may expire during the transfer: Incus would report success for an empty copy. */
const WINDOW_DAYS = 7
/** The relay waits so long; a longer transfer is reported as `running` and observed again. In seconds. */
const COPY_WAIT = WINDOW_DAYS * 86_400

export const planCopy: PlanStep<CopyStep> = async (step, io) => {
  const sides = await sidesOf(step, io)
  if (!sides.ok) return sides
  const { details, target } = sides.value
  noteEnds(step.source, details, io)
  const sending = { ...step, verified: verifiedAfter(step, target, io) }
  const before = [
    ...clearing(sending),
    ...marking(sending, details),
    ...lifting(sending, target?.snapshots ?? []),
    ...endangered(details, io).map(({ name }) => expiryCall(step.source, name, until(io).toISOString())),
  ]
  return ok({
    calls: [...before, ...transfer(sending, details, before.length)],
    done: () => io.arrivals.note(subjectKey(step.target), step.transfer.id),
  })
}

/** Why it would fail, what will differ, and what the copy's action has to record. */
export const planCheckCopy: PlanStep<CheckCopyStep> = async (step, io) => {
  const roles = againstRoles(step, io)
  if (roles !== null) return ok({ calls: [], reply: refusalOf(step, roles) })
  const sides = await readSides(step, io)
  if (!sides.ok) return sides
  const { details, target } = sides.value
  const unlisted = refuseUnlisted(step, details.snapshots, target?.snapshots ?? [])
  const rules = unlisted === null ? againstCopy(step, sides.value, io) : null
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
  const why = againstCopy(sending, sides.value, io)
  return why === null ? sides : err(notMade(sending, why))
}

/**
 * What stays marked as verified. Everything that is known and listed, and what the caller knows besides; a mark
 * only ever protects. What is gone from the target and comes with this transfer is verified again.
 */
function verifiedAfter(sending: Sending, target: OnTarget | null, io: StepIo): SnapshotPair[] {
  const { verified, listed, transfer: coming } = sending
  if (target === null || sending.startOver) return []
  const there = target.snapshots.map(({ name }) => name)
  const still = verified.filter(
    (pair) => !isBrought(coming, pair) || listed.includes(pair[0]) || there.includes(pair[0]),
  )
  const known = commonPairs(target.sighting.snapshots ?? [], verifiedOn(sending.target, target.sighting, io))
  return [...still, ...known.filter((pair) => !isIn(still, pair) && !coming.names.includes(pair[0]))]
}

const until = ({ clock }: StepIo): Date => new Date(clock.now() + WINDOW_DAYS * 86_400_000)

const endangered = ({ snapshots }: SourceDetails, io: StepIo): Expiring[] =>
  snapshots.filter(({ name, expiresAt }) => {
    const end = expiresAtOf(expiresAt)
    return end !== null && end.getTime() > io.clock.now() && end < until(io) && isAddressable(name)
  })

/** With what an earlier try postponed: of that the snapshot's own expiry is known from then. */
const extendedOf = ({ extended }: Sending, details: SourceDetails, io: StepIo): Record<string, string> => ({
  ...extended,
  ...Object.fromEntries(
    endangered(details, io).map(({ name, expiresAt }) => [name, own(extended, name) ?? expiresAt]),
  ),
})

/**
 * When Incus removes what: from then on it counts as expired. And what is about to be postponed, so that it can be
 * set again. Both go by what Incus says, not the caller.
 */
function noteEnds(source: InstanceRef, details: SourceDetails, io: StepIo): void {
  const { journal } = io
  const key = subjectKey(source)
  for (const { name, expiresAt } of endangered(details, io))
    journal.postpone(key, name, Date.parse(expiresAt))
  for (const { name, expiresAt, createdAt = 0 } of details.snapshots) {
    const end = journal.postponed(key, name) ?? expiresAtOf(expiresAt)?.getTime()
    journal.noteEnd(key, [name, createdAt], end === undefined ? null : Math.floor(end / 1000))
  }
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

/** Both operations; `first` is the index of the earlier one, which the later one refers to. */
function transfer(sending: Sending, details: SourceDetails, first: number): Call[] {
  const { source, target } = sending
  const reach = (server: string) => ({
    operation: { $operationUrl: first },
    secrets: { $step: first, pointer: '/metadata/metadata' },
    certificate: { $certificate: server },
  })
  if (sending.transferMode === 'pull')
    return [
      { ...send(sending, {}), cancelOnFailure: true },
      { ...receive(sending, details, { mode: 'pull', ...reach(source.remote) }), wait: COPY_WAIT },
    ]
  return [
    receive(sending, details, { mode: 'push' }),
    { ...send(sending, { target: reach(target.remote) }), wait: COPY_WAIT, alsoWaitFor: first },
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
