/**
 * Makes a new instance from a snapshot, or from a copy with all that is verified on it. Until it is whole it has the
 * relay's sealed mark, by which it can be removed; nothing else under its name is ever touched, because Incus creates
 * no second instance of a name.
 */
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { isIn } from '../../../shared/incus/pairs.ts'
import { request } from '../../../shared/incus/routes.ts'
import { isAddressable } from '../../../shared/incus/snapshot-name.ts'
import { pairOf, parseExpiries } from '../../../shared/incus/source.ts'
import { type InstanceRef, nounOf, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { CheckCloneStep, CloneCheck, CloneStep, Cloning } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Owner } from '../busy.ts'
import { call } from '../call.ts'
import type { Call } from '../calls.ts'
import { writingTo } from '../guard-operation.ts'
import { verifiedOn } from '../removal.ts'
import { refused } from '../rules.ts'
import { restoreVolumeRequest, rowsOf } from '../subject-requests.ts'
import { cloneBody, differencesOf, isPlain } from './clone-body.ts'
import { creationCalls } from './clone-calls.ts'
import { againstRemovalOf, deleteCall, finishing, isSent, markOf, ownOf } from './clone-finish.ts'
import { fitClone } from './clone-fit.ts'
import { againstClone, homeOf } from './clone-guard.ts'
import { type Original, readOriginal, readThere, type There } from './clone-reads.ts'
import { listOf, removeCall, where } from './requests.ts'
import { postponing } from './snapshots.ts'
import type { Planned, PlanStep, StepIo } from './step-io.ts'

/** Milliseconds. What expires while it is read arrives empty, and Incus calls that a success. */
const DAY = 86_400_000
/** In seconds. */
const LONG = 86_400

export const planClone: PlanStep<CloneStep> = async (step, io, job) => {
  const { from, to, snapshot } = step
  const busy = begin(step, io, job)
  if (busy !== null) return err(busy)
  const judged = await judge(step, io)
  if (!judged.ok) return judged
  const { original, pool, there } = judged.value
  const writing = there === null ? null : await writingTo(to, io)
  if (writing !== null) return err(writing)
  const late = await postponing(from, { snapshot, until: new Date(io.clock.now() + DAY) }, io)
  if (!late.ok) return late
  const cloning = { ...step, pool }
  const body = cloneBody(cloning, original, markOf(cloning, false, io))
  const calls = [...(there === null ? [] : [deleteCall(to)]), ...late.value]
  const comesWhole = step.whole || isSent(step)
  const then = async () => (comesWhole ? tidied(step, original, io) : finishing(step, original, io))
  // A list of its own, in which the requests of a transfer refer to each other by their places.
  return ok({ calls, next: async () => ok({ calls: creationCalls(cloning, body), next: then }) })
}

const begin = ({ from, to }: Cloning, { busy }: StepIo, job: Owner): CallError | null =>
  busy.begin(job, subjectKey(from), 'sends') ?? busy.begin(job, subjectKey(to), 'receives')

type Judged = { original: Original; pool: string | null; there: There | null }

async function judge(step: Cloning, io: StepIo): Promise<Result<Judged, CallError>> {
  const refusal = (why: string) => err(notMade(step, why))
  const original = await readOriginal(step, io)
  if (!original.ok) return original.error.status === 404 ? refusal(original.error.message) : original
  const why = againstClone(step, original.value, io)
  if (why !== null) return refusal(why)
  const there = await readThere(step.to, io)
  if (!there.ok) return there
  if (there.value !== null && againstRemovalOf(there.value) !== null)
    return refusal(`the name of that ${nounOf(step.to)} is taken already: choose another name`)
  const stays = await againstMove(step, original.value, io)
  if (stays !== null) return refusal(stays)
  const pool = await fitClone(step, original.value, io)
  return pool.ok
    ? ok({ original: original.value, pool: pool.value, there: there.value })
    : refusal(pool.error)
}

/** The copy follows what is brought back elsewhere, so its source must not be there any more, as far as can be seen. */
async function againstMove(
  { from, to, whole }: Cloning,
  { sighting }: Original,
  io: StepIo,
): Promise<string | null> {
  const home = homeOf(from, sighting)
  if (!whole || subjectKey(home) === subjectKey(to) || !Object.hasOwn(io.remotes, home.remote)) return null
  const there = await readThere(home, io)
  return there.ok && there.value !== null
    ? `${subjectKey(home)} is still there, and the copy follows it: make one snapshot a new instance instead`
    : null
}

const notMade = ({ from, snapshot, to }: Cloning, why: string): CallError =>
  refused(`make ${subjectKey(to)} from ${snapshot} of ${subjectKey(from)}`, why)

/** Why it would fail, and what will differ. */
export const planCheckClone: PlanStep<CheckCloneStep> = async (step, io) => {
  const judged = await judge(step, io)
  if (!judged.ok && judged.error.code !== 'not-allowed') return judged
  const reply: CloneCheck = judged.ok
    ? { refusal: null, warnings: differencesOf(step, judged.value.original.details) }
    : { refusal: judged.error.message, warnings: [] }
  return ok({ calls: [], reply })
}

/** Only what is verified stays with it, and its disk becomes that of the snapshot. */
async function tidied(step: CloneStep, original: Original, io: StepIo): Promise<Result<Planned, CallError>> {
  const { from, to, snapshot } = step
  const verified = step.whole ? verifiedOn(from, original.sighting, io) : pairsOf(original)
  const arrived = await listedOn(to, io)
  if (!arrived.ok) return arrived
  const wanted = (original.sighting.snapshots ?? []).filter((pair) => isIn(verified, pair))
  const lost = wanted.find((pair) => !isIn(arrived.value, pair))
  if (lost !== undefined)
    return err({ code: 'bad-reply', message: `the snapshot ${lost[0]} did not arrive at ${subjectKey(to)}` })
  const stray = arrived.value.filter((pair) => !isIn(verified, pair) && isAddressable(pair[0]))
  const then = async () => finishing(step, original, io)
  const calls = stray.map(([name]) => removeCall(to, name))
  if (volumeIn(to.instance) !== null) return ok({ calls, next: async () => restoredVolume(step, then) })
  if (!isPlain(original.details)) return ok({ calls, next: then })
  const there = await ownOf(to, `restore ${subjectKey(to)}`, io)
  if (!there.ok) return there
  return ok({
    calls,
    next: async () => {
      // The restore takes the mark off it, once its disk is that of the snapshot.
      io.journal.noteMade(subjectKey(to), { since: there.value.since, mark: markOf(step, true, io) })
      return ok({ calls: [restoreCall(to, snapshot)], next: then })
    },
  })
}

/** The one that it is made from. */
const pairsOf = ({ pair }: Original): SnapshotPair[] => (pair === null ? [] : [pair])

/** Its config stays, and so its mark. One that is made from a snapshot alone keeps none. */
function restoredVolume(
  { to, snapshot, whole }: CloneStep,
  then: () => Promise<Result<Planned, CallError>>,
): Result<Planned, CallError> {
  const restore: Call = { remote: to.remote, blocks: LONG, ...restoreVolumeRequest(to, snapshot) }
  return ok({ calls: [restore, ...(whole ? [] : [removeCall(to, snapshot)])], next: then })
}

async function listedOn(ref: InstanceRef, { upstream }: StepIo): Promise<Result<SnapshotPair[], CallError>> {
  const list = await call(upstream, ref.remote, listOf(ref))
  if (!list.ok) return list
  const parsed = parseExpiries(rowsOf(ref, list.value.envelope.metadata))
  return parsed.ok ? ok(parsed.value.map(pairOf)) : err({ code: 'bad-reply', message: parsed.error })
}

function restoreCall(ref: InstanceRef, snapshot: string): Call {
  const { parameters, query } = where(ref)
  const body = { restore: snapshot, stateful: false }
  return { remote: ref.remote, wait: LONG, ...request('restoreInstance', parameters, query, body) }
}
