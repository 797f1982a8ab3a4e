/** Taking and removing snapshots, and when they expire. */
import { parseSnapshotName, SAFETY } from '../../../shared/incus/snapshot-name.ts'
import { type Expiring, endsOf, expiresAtOf, parseExpiries } from '../../../shared/incus/source.ts'
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { ExpireStep, PostponeStep, SetExpiryStep, TakeStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Owner } from '../busy.ts'
import { call } from '../call.ts'
import type { Call } from '../calls.ts'
import { againstEndOnCopy, againstRemoval, isHeld, isReplica, removalFrom } from '../removal.ts'
import { isSource, isTarget, notSource, refused } from '../rules.ts'
import type { Sighting } from '../sightings.ts'
import { rowsOf } from '../subject-requests.ts'
import { expiryCall, listOf, removeCall, STEP_WAIT, takeCall } from './requests.ts'
import type { PlanStep, StepIo } from './step-io.ts'

export const planTake: PlanStep<TakeStep> = async (step, io, job) => {
  const { ref, snapshot, stateful, expiresAt, again } = step
  const what = `take ${snapshot} of ${subjectKey(ref)}`
  const policy = parseSnapshotName(snapshot)?.policy
  if (policy === undefined || policy === SAFETY)
    return err(refused(what, 'no policy’s snapshot has such a name'))
  if (!isSource(io.remotes, ref.remote)) return err(refused(what, notSource(ref.remote)))
  const copy = isTarget(io.remotes, ref.remote) ? await io.sightings.isCopy(ref) : ok(false)
  if (!copy.ok) return copy
  if (copy.value) return err(refused(what, 'it is a copy'))
  const left = await io.groups.clear(ref, snapshot)
  if (left !== null) return err(left)
  const take = takeCall(ref, { name: snapshot, stateful, expiresAt }, STEP_WAIT)
  if (again === undefined) return ok({ calls: [take] })
  const whole = await isWhole(ref, snapshot, io)
  if (!whole.ok) return whole
  if (whole.value) return ok({ calls: [] })
  const why = await againstRemoval(ref, { snapshot, by: job }, io)
  if (!why.ok) return why
  return why.value === null
    ? ok({ calls: [removeCall(ref, snapshot), take] })
    : err(refused(`replace ${snapshot} of ${subjectKey(ref)}`, why.value))
}

/** A second tick knows nothing of the first one's success: one that was seen to be made isn't replaced. */
export async function isWhole(
  ref: InstanceRef,
  snapshot: string,
  { unseen, sightings }: StepIo,
): Promise<Result<boolean, CallError>> {
  if (!unseen.isMade(ref, snapshot)) return ok(false)
  const seen = await sightings.read(ref)
  if (!seen.ok) return seen
  return ok((seen.value.snapshots ?? []).some(([name]) => name === snapshot))
}

export const planExpire: PlanStep<ExpireStep> = async ({ ref, snapshot }, io, job) => {
  // What is no longer going makes room for this one.
  if (io.journal.ending(subjectKey(ref)).size > 0) await readExpiries(ref, io)
  const why = await againstRemoval(ref, { snapshot, by: job }, io)
  if (!why.ok) return why
  if (why.value !== null) return err(refused(`remove ${snapshot} of ${subjectKey(ref)}`, why.value))
  return ok({ calls: [removeCall(ref, snapshot)] })
}

export const planExpiry: PlanStep<SetExpiryStep> = async ({ ref, snapshot, expiresAt }, io, job) => {
  if (expiresAt === null)
    return ok({
      calls: [expiryCall(ref, snapshot, null)],
      done() {
        io.sightings.lasts(ref, snapshot)
        const pair = io.journal.verified(subjectKey(ref)).find(([name]) => name === snapshot)
        if (pair !== undefined) io.journal.losses.mayGo(subjectKey(ref), pair, null)
      },
    })
  const present = await readExpiries(ref, io)
  if (!present.ok) return present.error.status === 404 ? ok({ calls: [] }) : present
  const row = present.value.find(({ name }) => name === snapshot)
  const why = await againstExpiry(
    ref,
    { snapshot, end: new Date(expiresAt), by: job, rows: present.value },
    io,
  )
  if (!why.ok) return why
  return why.value === null
    ? ok({ calls: [expiryCall(ref, snapshot, expiresAt, row?.expiresAt)] })
    : err(refused(`set the expiry of ${snapshot} of ${subjectKey(ref)}`, why.value))
}

export const planPostpone: PlanStep<PostponeStep> = async ({ ref, snapshot, expiresAt }, io) => {
  const calls = await postponing(ref, { snapshot, until: new Date(expiresAt) }, io)
  return calls.ok ? ok({ calls: calls.value }) : calls
}

/** Nothing where Incus removes it later anyway, or never: somebody may have set that. */
export async function postponing(
  ref: InstanceRef,
  { snapshot, until }: { snapshot: string; until: Date },
  io: StepIo,
): Promise<Result<Call[], CallError>> {
  const present = await readExpiries(ref, io)
  if (!present.ok) return present.error.status === 404 ? ok([]) : present
  const row = present.value.find(({ name }) => name === snapshot)
  const shown = row === undefined ? null : expiresAtOf(row.expiresAt)
  if (row === undefined || shown === null || shown >= until) return ok([])
  io.journal.postpone(subjectKey(ref), snapshot, shown.getTime(), until.getTime())
  return ok([expiryCall(ref, snapshot, until.toISOString(), row.expiresAt)])
}

type Ending = { snapshot: string; end: Date; by: Owner; rows: readonly Expiring[] }

/** A later expiry than it has is no loss, nor is its own one again; an earlier one is a removal at that time. */
async function againstExpiry(
  ref: InstanceRef,
  ending: Ending,
  io: StepIo,
): Promise<Result<string | null, CallError>> {
  const found = await io.sightings.of(ref, ending.snapshot)
  if (!found.ok) return found.error.status === 404 ? ok(null) : found
  return againstExpiryOf(ref, found.value, ending, io)
}

/** The same, of an instance that was read already. */
export function againstExpiryOf(
  ref: InstanceRef,
  seen: Sighting,
  { snapshot, end, by, rows }: Ending,
  io: StepIo,
): Result<string | null, CallError> {
  if (isReplica(ref, seen, io)) return ok(againstEndOnCopy(ref, seen, { snapshot, end: end.getTime() }, io))
  const row = rows.find(({ name }) => name === snapshot)
  if (row === undefined) return ok(null)
  const own = expiresAtOf(row.expiresAt)
  if (own !== null && end >= own) {
    io.journal.postpone(subjectKey(ref), snapshot, own.getTime(), end.getTime())
    return ok(null)
  }
  if (isHeld(seen, snapshot)) return ok('it is held: release it first')
  const before = io.journal.postponed(subjectKey(ref), snapshot, own?.getTime() ?? null)
  if (before !== null && end.getTime() >= before) {
    const busy = io.busy.begin(by, subjectKey(ref), 'loses')
    if (busy !== null) return err(busy)
    // It stays among those that go, with this date.
    if (io.journal.ending(subjectKey(ref)).has(snapshot)) io.sightings.ends(ref, snapshot, end.getTime())
    return ok(null)
  }
  return removalFrom(ref, seen, { snapshot, by, end: end.getTime() }, io)
}

/** Their expiries as Incus shows them now. What somebody has set since counts from here on. */
export async function readExpiries(
  ref: InstanceRef,
  { upstream, journal }: Pick<StepIo, 'upstream' | 'journal'>,
) {
  const list = await call(upstream, ref.remote, listOf(ref))
  if (!list.ok) return list
  const parsed = parseExpiries(rowsOf(ref, list.value.envelope.metadata))
  if (!parsed.ok) return err<CallError>({ code: 'bad-reply', message: parsed.error })
  journal.shown(subjectKey(ref), endsOf(parsed.value))
  return parsed
}
