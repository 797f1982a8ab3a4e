/** Reads all that a store has of an instance, and removes one of its exports, if the relay's own rules allow it. */
import { type InstanceRef, nounOf, subjectKey } from '../../../shared/incus/subject.ts'
import { SINCE } from '../../../shared/policy/marks.ts'
import type { ExpireExportStep, SurveyExportsStep } from '../../../shared/relay/export-steps.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { type ExportSurvey, type Manifest, rowOf } from '../../../shared/work/export/manifest.ts'
import { type Standing, UNSAID } from '../../../shared/work/export/notes.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import { againstExportRemoval, badKey, oldKey, oldOf } from '../export-removal.ts'
import { isHeld, isReplica } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import { subjectRequest } from '../subject-requests.ts'
import { alone } from './note-export.ts'
import type { PlanStep, StepIo } from './step-io.ts'

export const planSurveyExports: PlanStep<SurveyExportsStep> = async ({ ref, store }, io) => {
  const found = await io.exports.survey(store, ref)
  if (!found.ok) return found
  const reply: ExportSurvey = {
    rows: found.value.exports.map(({ manifest, held, until, said = UNSAID }) => ({
      ...rowOf(store, manifest),
      ...stateOf(held, until, said, io.clock.now()),
    })),
    strays: found.value.strays,
  }
  return ok({ calls: [], reply })
}

/** What was released stays as long as if its store kept it. */
function stateOf(held: boolean, until: number | null, { held: why, freed, removal }: Standing, now: number) {
  const latest = Math.max(until ?? 0, freed !== null && freed > now ? freed : 0)
  return {
    ...(held || why !== null ? { held: true as const } : {}),
    ...(why === null ? {} : { why }),
    ...(latest === 0 ? {} : { until: new Date(latest).toISOString() }),
    ...(removal === null ? {} : { going: new Date(removal.end).toISOString() }),
  }
}

const DONE = ok({ calls: [] })

export const planExpireExport: PlanStep<ExpireExportStep> = (step, io, job) =>
  alone(step, io, job.id, async () => {
    const removed = await remove(step, io)
    return removed.ok ? DONE : removed
  })

async function remove(step: ExpireExportStep, io: StepIo): Promise<Result<void, CallError>> {
  const { ref, store, name, policy, owner } = step
  const key = subjectKey(ref)
  const refusal = (why: string) => err(refused(`remove export ${name} of ${key} from "${store}"`, why))
  const found = await io.exports.survey(store, ref)
  if (!found.ok) return found
  const { exports } = found.value
  const wanted = exports.find(({ manifest }) => manifest.name === name)
  // Asked for twice, it is gone.
  if (wanted === undefined) {
    const listed = await io.exports.list(store, ref, name)
    if (!listed.ok) return listed
    return listed.value.length === 0 ? ok(undefined) : refusal('there is no whole export of that name')
  }
  const gone = await againstInstance(ref, wanted.manifest, io)
  if (!gone.ok) return gone
  if (gone.value !== null) return refusal(gone.value)
  const now = io.clock.now()
  const minRetention = io.exports.minRetention(store)
  const removal = { name, policy, owner, exports, minRetention, now }
  const old = oldKey(store, key, policy)
  io.journal.counted(old, oldOf(removal).length)
  const isBad = (one: string): boolean => io.journal.isBad(badKey(store, key, one))
  const why = againstExportRemoval({ ...removal, isBad, most: io.journal.peak(old) })
  if (why !== null) return refusal(why)
  const removed = await io.exports.remove(store, ref, wanted.manifest)
  if (removed.ok) io.journal.noteBad(badKey(store, key, name), false)
  return removed
}

/** Of an instance that is gone, or of one before of its name, all exports stay. Null: it may go. */
async function againstInstance(
  ref: InstanceRef,
  { snapshot }: Manifest,
  io: StepIo,
): Promise<Result<string | null, CallError>> {
  if (!isSource(io.remotes, ref.remote)) return ok(notSource(ref.remote))
  if (nounOf(ref) === 'bucket') return againstBucket(ref, snapshot.createdAt, io)
  const seen = await io.sightings.readAll(ref)
  if (!seen.ok)
    return seen.error.status === 404 ? ok('the instance is gone, so what was exported of it stays') : seen
  const { sighting, instance } = seen.value
  if (isReplica(ref, sighting, io)) return ok('it is a copy')
  if (isHeld(sighting, snapshot.name)) return ok('its snapshot is held: release it first')
  return ok(againstEarlier(isObject(instance) ? text(instance.created_at) : '', snapshot.createdAt))
}

/** Incus has no date of it, but its own mark has one. */
async function againstBucket(
  ref: InstanceRef,
  exportedAt: string,
  io: StepIo,
): Promise<Result<string | null, CallError>> {
  const seen = await call(io.upstream, ref.remote, subjectRequest(ref))
  if (!seen.ok)
    return seen.error.status === 404 ? ok('the bucket is gone, so what was exported of it stays') : seen
  const { metadata } = seen.value.envelope
  const config = isObject(metadata) && isObject(metadata.config) ? metadata.config : {}
  return ok(againstEarlier(text(config[SINCE]), exportedAt))
}

function againstEarlier(madeAt: string, exportedAt: string): string | null {
  const [since, of] = [Date.parse(madeAt), Date.parse(exportedAt)]
  if (Number.isNaN(since) || Number.isNaN(of)) return 'it is not known whether it is of this instance'
  // Dates of some listings have no parts of a second.
  return Math.ceil(of / 1000) * 1000 < Math.floor(since / 1000) * 1000 ? EARLIER : null
}

const EARLIER = 'it is of an earlier instance of that name, and stays'
