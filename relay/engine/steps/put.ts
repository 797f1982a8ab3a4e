/**
 * Restores files of a snapshot into its instance: first a safety snapshot, then the mark that it is whole, then the files, and
 * the mark goes last. So whatever is killed, it can be told how far it came, and what was there before is never lost.
 */
import { parseSnapshotName, SAFETY } from '../../../shared/incus/snapshot-name.ts'
import { subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { MAKING, PUTTING, RESTORED, RESTORING } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { PutStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { wordsOf } from '../../../shared/work/restore/mark.ts'
import type { Owner } from '../busy.ts'
import { brokenBy } from '../call.ts'
import { runCalls, silent, type Watcher } from '../call-list.ts'
import { unlessCancelled } from '../cancels.ts'
import { counting } from '../counting.ts'
import { connect } from '../files/connect.ts'
import { againstKind } from '../files/kind.ts'
import { againstPlace, type Put, restoreFiles } from '../files/putting.ts'
import { type Sftp, SftpError } from '../files/sftp.ts'
import { type Found, kindOf } from '../files/tree.ts'
import { bytesOf } from '../files/wire.ts'
import { isReplica } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import { replicaOf, type Sighting } from '../sightings.ts'
import { markCall, takeCall } from './requests.ts'
import type { Planned, PlanStep, StepIo } from './step-io.ts'

/** Seconds. */
const DAY = 86_400
/** A safety snapshot lasts for a day at least, an hour aside that clocks may differ by. In milliseconds. */
const LEAST = 23 * 3_600_000

export const planPut: PlanStep<PutStep> = async (step, io, job, watcher = silent) => {
  const why = await against(step, io)
  if (!why.ok) return why
  if (why.value !== null) return err(refusal(step, why.value))
  const clone = await io.clones.open(step.from, step.snapshot, DAY * 1000)
  if (!clone.ok) return clone
  if (clone.value === null)
    return err(refusal(step, 'the instance that it is read from took longer than a day to make'))
  const { ref: readable, leave } = clone.value
  try {
    const busy = io.busy.begin(job as Owner, subjectKey(step.ref), 'puts')
    if (busy !== null) return err(busy)
    const source = await connect(readable, io)
    if (!source.ok) return source
    try {
      return await between(step, source.value, io, watcher)
    } finally {
      source.value.close()
    }
  } finally {
    leave()
  }
}

const refusal = ({ ref, snapshot, path }: PutStep, why: string): CallError =>
  refused(`restore ${path} of ${snapshot} into ${subjectKey(ref)}`, why)

async function against(step: PutStep, io: StepIo): Promise<Result<string | null, CallError>> {
  const { ref, from, safety } = step
  if (!isSource(io.remotes, ref.remote)) return ok(notSource(ref.remote))
  if (own(io.remotes, ref.remote)?.restores === false)
    return ok(`"restores" is false for "${ref.remote}" in its configuration`)
  if (parseSnapshotName(safety.name)?.policy !== SAFETY)
    return ok(`${safety.name} isn’t the name of a snapshot taken before a restore`)
  if (safety.expiresAt !== null && Date.parse(safety.expiresAt) - io.clock.now() < LEAST)
    return ok(`${safety.name} would expire within a day`)
  const seen = await io.sightings.readAll(ref)
  if (!seen.ok) return seen
  const { sighting, instance } = seen.value
  const kind = await againstKind(ref, instance, io)
  if (!kind.ok || kind.value !== null) return kind
  if (isReplica(ref, sighting, io)) return ok('it is a copy, and the next refresh would overwrite it')
  const busy = [MAKING, RESTORING].find((key) => (own(sighting.config, key) ?? '') !== '')
  if (busy !== undefined) return ok(`its ${busy} says that something else is being done to it`)
  if (safety.taken && !isMarked(step, sighting, io))
    return ok(`its ${PUTTING} doesn’t say that ${safety.name} is complete`)
  // A mark outlasts what it names.
  if (safety.taken && sighting.snapshots?.some(([name]) => name === safety.name) !== true)
    return ok(`its safety snapshot ${safety.name} is not there any more: ask again`)
  if (subjectKey(from) === subjectKey(ref)) return ok(null)
  const copy = await io.sightings.read(from)
  if (!copy.ok) return copy
  return ok(replicaOf(copy.value) === subjectKey(ref) ? null : `${subjectKey(from)} is no copy of it`)
}

/** Only the relay's own mark proves that the safety snapshot was taken before anything was restored. */
const isMarked = (
  { ref, snapshot, safety }: PutStep,
  { config, own: keys }: Sighting,
  { seal }: StepIo,
): boolean => {
  const text = keys.includes(PUTTING) ? (own(config, PUTTING) ?? '') : ''
  return seal.isOn(ref, text) && text.startsWith(`${safety.name} ${snapshot} `)
}

async function between(
  step: PutStep,
  source: Sftp,
  io: StepIo,
  watcher: Watcher,
): Promise<Result<Planned, CallError>> {
  const { ref, snapshot, path, safety } = step
  const start = await startOf(source, path)
  if (start === null) return err(unfit(`${snapshot} has no ${path}`))
  const why = await onTarget(step, io, (target) => againstPlace(target, start))
  if (!why.ok) return why
  if (why.value !== null) return err(unfit(why.value))
  // As long as somebody has its files open, Incus takes no snapshot of it.
  const safe = safety.taken ? ok(null) : await makeSafe(step, io, watcher)
  if (!safe.ok) return safe
  const passing = counting(io.clock, unlessCancelled(watcher))
  const done = await onTarget(step, io, (target) =>
    restoreFiles({ source, target }, start, safety.name, passing),
  )
  if (!done.ok) return done
  watcher.progress(textOf(done.value))
  return ok({
    calls: [markCall(ref, { [PUTTING]: '' })],
    done: () => io.sightings.forget(ref),
  })
}

async function onTarget<T>(
  { ref }: PutStep,
  io: StepIo,
  work: (target: Sftp) => Promise<T>,
): Promise<Result<T, CallError>> {
  const target = await connect(ref, io)
  if (!target.ok) return target
  try {
    return ok(await work(target.value))
  } catch (cause) {
    return err(cause instanceof SftpError ? { code: 'incus', message: cause.message } : brokenBy(cause))
  } finally {
    target.value.close()
  }
}

/** No further try mends that. */
const unfit = (message: string): CallError => ({ code: 'bad-request', message })

async function startOf(source: Sftp, path: string): Promise<Found | null> {
  const bytes = bytesOf(path)
  const attributes = await source.lstat(bytes)
  if (attributes === null) return null
  return {
    path: bytes,
    name: bytes.subarray(bytes.lastIndexOf(0x2f) + 1),
    kind: kindOf(attributes),
    attributes,
  }
}

/** Taken, listed, and noted as complete, before anything is changed. */
async function makeSafe(step: PutStep, io: StepIo, watcher: Watcher): Promise<Result<null, CallError>> {
  const { ref, snapshot, safety } = step
  const { name, expiresAt } = safety
  const taken = await runCalls([takeCall(ref, { name, stateful: false, expiresAt }, DAY)], io, {
    watcher,
    urgent: true,
  })
  if (!taken.ok) return taken
  const seen = await io.sightings.read(ref)
  if (!seen.ok) return seen
  const listed = (seen.value.snapshots ?? []).map(([one]) => one)
  if (!listed.includes(name)) return err(refusal(step, `its safety snapshot ${name} isn’t listed`))
  const whole = wordsOf(own(seen.value.config, RESTORED) ?? '').filter((one) => listed.includes(one))
  const mark = io.seal.put(ref, `${name} ${snapshot}`)
  const marked = await runCalls(
    [markCall(ref, { [RESTORED]: [name, ...whole].join(' '), [PUTTING]: mark })],
    io,
    {
      ...{ watcher, urgent: true },
    },
  )
  io.sightings.forget(ref)
  return marked.ok ? ok(null) : marked
}

/** Of what lacks its mode so many are named. */
const NAMED = 5

function textOf({ files, folders, links, leftOut, modes }: Put): string {
  const named = modes.slice(0, NAMED).join(', ')
  const more = modes.length > NAMED ? ` and ${modes.length - NAMED} more` : ''
  return [
    `${files} files, ${folders} folders and ${links} links are restored`,
    ...(leftOut === 0 ? [] : [`${leftOut} devices, pipes and sockets were left out`]),
    ...(modes.length === 0
      ? []
      : [`this Incus could not set the whole mode of ${named}${more}: do that yourself`]),
  ].join('; ')
}
