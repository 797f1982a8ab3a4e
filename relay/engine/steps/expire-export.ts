/** Reads all that a store has of an instance, and removes one of its exports, if the relay's own rules allow it. */
import { type InstanceRef, nounOf, subjectKey } from '../../../shared/incus/subject.ts'
import { SINCE } from '../../../shared/policy/marks.ts'
import type { ExpireExportStep, SurveyExportsStep } from '../../../shared/relay/export-steps.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { ok, type Result } from '../../../shared/result.ts'
import { type ExportSurvey, type Manifest, rowOf } from '../../../shared/work/export/manifest.ts'
import { type Standing, UNSAID } from '../../../shared/work/export/notes.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import { againstExportRemoval, badKey, oldKey, oldOf } from '../export-removal.ts'
import type { Surveyed } from '../exports.ts'
import { isHeld, isReplica } from '../removal.ts'
import { isSource, notSource } from '../rules.ts'
import { subjectRequest } from '../subject-requests.ts'
import { alone, removeUnless } from './remove-export.ts'
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

export const planExpireExport: PlanStep<ExpireExportStep> = (step, io, job) =>
  alone(step, io, job.id, () =>
    removeUnless(step, io, { asked: false }, async ({ manifest }, exports) => {
      const gone = await againstInstance(step.ref, manifest, io)
      return !gone.ok || gone.value !== null ? gone : ok(againstPolicy(step, exports, io))
    }),
  )

/** By what the policy of its installation may remove. Null: it may go. */
function againstPolicy(
  { ref, store, name, policy, owner }: ExpireExportStep,
  exports: readonly Surveyed[],
  io: StepIo,
): string | null {
  const key = subjectKey(ref)
  const minRetention = io.exports.minRetention(store)
  const removal = { name, policy, owner, exports, minRetention, now: io.clock.now() }
  const old = oldKey(store, key, policy)
  io.journal.counted(old, oldOf(removal).length)
  const isBad = (one: string): boolean => io.journal.isBad(badKey(store, key, one))
  return againstExportRemoval({ ...removal, isBad, most: io.journal.peak(old) })
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
