/**
 * Exports a snapshot: an instance or a volume is made of it, Incus makes a backup of that, which is fetched, checked and stored,
 * and what was made goes with its backup. Pools that read what they export live do no harm so: nothing changes that instance.
 */
import { type InstanceRef, nounOf, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import type { ExportStep, ReadExportsStep } from '../../../shared/relay/export-steps.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { rowOf } from '../../../shared/work/export/manifest.ts'
import { runCalls, silent, type Watcher } from '../call-list.ts'
import type { Call } from '../calls.ts'
import { unlessCancelled } from '../cancels.ts'
import type { Saving } from '../exports.ts'
import { isReplica } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import { backupFileRequest, backupRequest } from '../subject-requests.ts'
import { removeTemporary } from '../temporaries.ts'
import { temporaryOf } from '../temporary.ts'
import { type Made, temporaryBody, temporaryVolume } from './export-body.ts'
import { exportBucket } from './export-bucket.ts'
import { refuseSpace, usageOf } from './export-space.ts'
import { postponing } from './snapshots.ts'
import type { PlanStep, StepIo } from './step-io.ts'
import { createCall, readSource, type Source, UNNOTED } from './temporary-source.ts'

/** In seconds: a backup takes as long as it takes. */
const DAY = 86_400

export const planExport: PlanStep<ExportStep> = async (step, io, job, watcher = silent) => {
  const { ref, store, name } = step
  const refusal = (why: string) => err(refused(`export ${subjectKey(ref)}`, why))
  if (!io.exports.stores.includes(store)) return refusal(`it has no store "${store}" in its configuration`)
  if (!isSource(io.remotes, ref.remote)) return refusal(notSource(ref.remote))
  const isBucket = nounOf(ref) === 'bucket'
  const seen = isBucket ? null : await io.sightings.read(ref)
  if (seen?.ok === false) return seen
  if (seen !== null && isReplica(ref, seen.value, io)) return refusal('it is a copy: export its source')
  const made = await io.exports.list(store, ref, name)
  if (!made.ok) return made
  const [there] = made.value
  if (there !== undefined && there.snapshot.name !== step.snapshot)
    return refusal(`"${store}" has an export ${name} of ${there.snapshot.name} already`)
  // Asked for twice, it is made once.
  if (there !== undefined) return ok({ calls: [], reply: rowOf(store, there) })
  if (isBucket) return exportBucket(step, io, job, watcher)
  const temporary = temporaryOf(ref, step)
  io.temporaries.begin(temporary)
  try {
    const busy = io.busy.begin(job, subjectKey(ref), 'exports')
    if (busy !== null) return err(busy)
    const ready = await prepare(step, temporary, io, watcher)
    // What is made of it stands by itself.
    io.busy.end(job)
    if (!ready.ok) return ready
    const saved = await io.exports.save(ready.value)
    return saved.ok ? ok({ calls: [], reply: rowOf(store, saved.value) }) : saved
  } finally {
    await io.temporaries.end(temporary)
  }
}

export const planReadExports: PlanStep<ReadExportsStep> = async ({ ref, store, name, newest }, io) => {
  const stores = store === null ? io.exports.stores : [store]
  const rows = []
  for (const one of stores) {
    const found = await io.exports.list(one, ref, name, newest)
    if (!found.ok) return found
    rows.push(...found.value.map((manifest) => rowOf(one, manifest)))
  }
  return ok({ calls: [], reply: rows })
}

/** With an instance that an earlier try has left, made anew: it may be half of one. */
async function prepare(
  { ref, snapshot, store, name, optimized, policy, owner }: ExportStep,
  temporary: InstanceRef,
  io: StepIo,
  watcher: Watcher,
): Promise<Result<Saving, CallError>> {
  const removed = await removeTemporary(temporary, io)
  if (!removed.ok) return removed
  const source = await readSource(ref, snapshot, io)
  if (!source.ok) return source
  const full = await refuseSpace(ref, source.value, io)
  if (full !== null) return err(refused(`export ${subjectKey(ref)}`, full))
  const cluster = againstMember(ref, source.value)
  if (cluster !== null) return err(refused(`export ${subjectKey(ref)}`, cluster))
  // What expires while it is copied arrives empty, or in part, and Incus calls that a success.
  const late = await postponing(ref, { snapshot, until: new Date(io.clock.now() + DAY * 1000) }, io)
  const postponed = late.ok ? await runCalls(late.value, io, { watcher, urgent: true }) : late
  if (!postponed.ok) return postponed
  const mark = io.seal.put(temporary, `${name} ${snapshot}`)
  const made = madeOf(ref, snapshot, source.value, { temporary, mark })
  const creating = createCall(temporary, made, source.value)
  const backing = backupCall(temporary, optimized, io)
  // Without that note nothing would ever remove it again; and no backup may be of one that isn't noted as made.
  for (const [state, wanted] of [
    ['making', creating],
    ['made', backing],
  ] as const) {
    if (!io.journal.noteTemporary(subjectKey(temporary), state)) return err(UNNOTED)
    const ran = await runCalls([wanted], io, { watcher, urgent: true })
    if (!ran.ok) return ran
  }
  const { incus, type, driver, details, contentType, description } = source.value
  const volume = type === 'volume' ? { volume: { contentType, description } } : {}
  return ok({
    ...{ store, ref },
    about: {
      ...{ instance: subjectKey(ref), name, incus, type, ...volume, driver, optimized },
      snapshot: { name: snapshot, createdAt: details.createdAt },
      leftOut: made.leftOut,
      ...(policy === undefined ? {} : { policy }),
      ...(owner === undefined ? {} : { owner }),
    },
    usage: await usageOf(temporary, io),
    open: (from) => io.fetch(temporary.remote, backupFileRequest(temporary, nameOf(temporary)), from),
    progress: unlessCancelled(watcher),
  })
}

/** Its name, which a backup of it has as well. */
const nameOf = ({ instance }: InstanceRef): string => volumeIn(instance)?.volume ?? instance

const madeOf = (
  ref: InstanceRef,
  snapshot: string,
  { details, contentType, description }: Source,
  { temporary, mark }: { temporary: InstanceRef; mark: string },
): Made =>
  volumeIn(ref.instance) === null
    ? temporaryBody(ref, snapshot, details, { name: temporary.instance, mark })
    : temporaryVolume(ref, snapshot, details, {
        ...{ name: nameOf(temporary), mark, contentType, description },
      })

/** Each member of a cluster may have a volume of that name, and requests don't tell them apart. */
const againstMember = ({ instance }: InstanceRef, { location }: Source): string | null =>
  volumeIn(instance) === null || location === '' || location === 'none'
    ? null
    : `it is a volume of the cluster member ${location}`

/** Incus removes a backup by itself after a day. */
const backupCall = (ref: InstanceRef, optimized: boolean, { clock }: StepIo): Call => ({
  ...{ remote: ref.remote, wait: DAY },
  ...backupRequest(ref, {
    name: nameOf(ref),
    expires_at: new Date(clock.now() + DAY * 1000).toISOString(),
    optimized_storage: optimized,
    compression_algorithm: 'none',
  }),
})
