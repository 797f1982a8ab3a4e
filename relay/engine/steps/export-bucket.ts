/**
 * Exports a bucket as it is. It has no snapshots, and a backup of it can be asked for under a name alone, so that it is a file which
 * is fetched, checked and stored as any other. Incus 7.0.2 can't delete such a backup: it has an end from the beginning.
 */
import { randomBytes } from 'node:crypto'
import { refuseWay } from '../../../shared/incus/export-trust.ts'
import { request } from '../../../shared/incus/routes.ts'
import { bucketIn, type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import { SINCE } from '../../../shared/policy/marks.ts'
import type { ExportStep } from '../../../shared/relay/export-steps.ts'
import type { CallError, Job } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { LIVE, type Manifest, rowOf } from '../../../shared/work/export/manifest.ts'
import { unreadyOf } from '../buckets.ts'
import { badReply, call } from '../call.ts'
import { runCalls, type Watcher } from '../call-list.ts'
import { unlessCancelled } from '../cancels.ts'
import { isObject, text } from '../envelope.ts'
import { parseSeconds } from '../parse-volumes.ts'
import { refused } from '../rules.ts'
import { markCall, STEP_WAIT } from './requests.ts'
import type { Planned, StepIo } from './step-io.ts'

/** In seconds: it takes as long as it takes. */
const DAY = 86_400
/** Until Incus removes the file by itself: time to fetch it, also slowly. */
const LASTS = DAY / 2

export async function exportBucket(
  step: ExportStep,
  io: StepIo,
  job: Job,
  watcher: Watcher,
): Promise<Result<Planned, CallError>> {
  const { ref, store } = step
  const busy = io.busy.begin(job, subjectKey(ref), 'exports')
  if (busy !== null) return err(busy)
  const ready = await readBucket(ref, io)
  if (!ready.ok) return ready
  const marked = ready.value.since === null ? await noteSince(ref, io, watcher) : ok(null)
  if (!marked.ok) return marked
  const backup = `stapes-export-${randomBytes(12).toString('hex')}`
  const began = new Date(io.clock.now())
  try {
    const made = await runCalls([backupCall(ref, backup, began)], io, { watcher, urgent: true })
    if (!made.ok) return made
    // The file stands by itself.
    io.busy.end(job)
    const saved = await io.exports.save({
      ...{ store, ref, about: aboutOf(step, ready.value, began), usage: null },
      open: (from) => io.fetch(ref.remote, fileRequest(ref, backup), from),
      progress: unlessCancelled(watcher),
    })
    return saved.ok ? ok({ calls: [], reply: rowOf(store, saved.value) }) : saved
  } finally {
    await removeBackup(ref, backup, io)
  }
}

type Ready = { incus: string; driver: string; since: number | null }

async function readBucket(ref: InstanceRef, io: StepIo): Promise<Result<Ready, CallError>> {
  const { parameters, query } = placeOf(ref)
  const read = async (wanted: ReturnType<typeof request>) => call(io.upstream, ref.remote, wanted)
  const server = await read(request('getServer'))
  if (!server.ok) return server
  const bucket = await read(request('getBucket', parameters, query))
  if (!bucket.ok) return bucket
  const keys = await read(request('listBucketKeys', parameters, query))
  if (!keys.ok) return keys
  const [about, itself, names] = [server, bucket, keys].map(({ value }) => value.envelope.metadata)
  if (!isObject(about) || !isObject(itself) || !Array.isArray(names))
    return err(badReply(ref.remote, 200, `the bucket ${ref.instance} has another form than expected`))
  const incus = text(isObject(about.environment) ? about.environment.server_version : '')
  const why = refuseWay('backup of a bucket', incus) ?? unreadyOf(itself) ?? againstKeys(ref, names.length)
  if (why !== null) return err(refused(`export ${subjectKey(ref)}`, why))
  const pool = await read(request('getPool', { pool: parameters.pool }))
  const driver = pool.ok && isObject(pool.value.envelope.metadata) ? pool.value.envelope.metadata.driver : ''
  const since = parseSeconds(isObject(itself.config) ? itself.config[SINCE] : '')
  return ok({ incus, driver: text(driver), since })
}

/** Incus reads a bucket by one of its own keys. */
const againstKeys = ({ project, instance }: InstanceRef, keys: number): string | null => {
  const { pool = '', bucket = '' } = bucketIn(instance) ?? {}
  const where = project === 'default' ? '' : ` --project ${project}`
  return keys > 0
    ? null
    : `it has no key, and Incus reads a bucket by one of its own: incus storage bucket key create ${pool} ${bucket} admin --role admin${where}`
}

/** Incus has no date of a bucket. One of that name that somebody makes later doesn't have this mark. */
async function noteSince(
  ref: InstanceRef,
  io: StepIo,
  watcher: Watcher,
): Promise<Result<unknown, CallError>> {
  const now = new Date(io.clock.now()).toISOString()
  return runCalls([markCall(ref, { [SINCE]: now })], io, { watcher, urgent: true })
}

const backupCall = (ref: InstanceRef, name: string, began: Date) => {
  const { parameters, query } = placeOf(ref)
  const expires_at = new Date(began.getTime() + LASTS * 1000).toISOString()
  const body = { name, expires_at, compression_algorithm: 'none' }
  return { remote: ref.remote, wait: DAY, ...request('createBucketBackup', parameters, query, body) }
}

function fileRequest(ref: InstanceRef, backup: string) {
  const { parameters, query } = placeOf(ref)
  return request('exportBucketBackup', { ...parameters, backup }, query)
}

/** What can't go now goes by its end. */
async function removeBackup(ref: InstanceRef, backup: string, io: StepIo): Promise<void> {
  const { parameters, query } = placeOf(ref)
  const removal = request('deleteBucketBackup', { ...parameters, backup }, query)
  const once = { remote: ref.remote, wait: STEP_WAIT, tolerate: [404], optional: true as const }
  await runCalls([{ ...once, ...removal }], io, { urgent: true })
}

function placeOf({ project, instance }: InstanceRef) {
  const { pool = '', bucket = '' } = bucketIn(instance) ?? {}
  return { parameters: { pool, bucket }, query: { project } }
}

const aboutOf = (
  { ref, name, policy, owner }: ExportStep,
  { incus, driver }: Ready,
  began: Date,
): Omit<Manifest, 'stapes' | 'archive' | 'stored' | 'madeAt'> => ({
  ...{ instance: subjectKey(ref), name, incus, type: 'bucket', driver, optimized: false },
  snapshot: { name: LIVE, createdAt: began.toISOString() },
  leftOut: { config: {}, devices: {} },
  ...(policy === undefined ? {} : { policy }),
  ...(owner === undefined ? {} : { owner }),
})
