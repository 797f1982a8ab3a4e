/**
 * Makes a new instance or volume from an export. What Incus gets is described by the relay, with its sealed mark, so that the instance has
 * that from its first moment; and its end comes only when all of it was what was stored, so that of anything else Incus makes
 * nothing. The rest is as of one that is made from a snapshot.
 */
import { sizeOf } from '../../../shared/chat/age.ts'
import { type CopyGiven, refuseGiven } from '../../../shared/incus/given.ts'
import { request } from '../../../shared/incus/routes.ts'
import { bucketIn, type InstanceRef, nounOf, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { CheckImportStep, ImportCheck, Importing, ImportStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { renderMaking } from '../../../shared/work/clone/mark.ts'
import { call, readAnswer } from '../call.ts'
import { silent, type Watcher } from '../call-list.ts'
import { unlessCancelled } from '../cancels.ts'
import { isObject, parseOperation, text } from '../envelope.ts'
import type { Description, Held, Wanted } from '../exports.ts'
import { awaitOperation } from '../operation.ts'
import { isSource, refused } from '../rules.ts'
import { differencesOf, lastingConfig } from './clone-body.ts'
import { againstRemovalOf, deleteCall, finishingWith } from './clone-finish.ts'
import { type Chosen, fitPlace, fitVolume } from './clone-fit.ts'
import { readThere, type There } from './clone-reads.ts'
import { readProfiles } from './copy-reads.ts'
import {
  besideGiven,
  cloningOf,
  droppedOf,
  importBody,
  originalOf,
  originalVolume,
  volumeBody,
  withGiven,
} from './import-body.ts'
import { bucketBody, droppedOfBucket, fitBucket, keysText } from './import-bucket.ts'
import type { Planned, PlanStep, StepIo } from './step-io.ts'

/** In milliseconds. Incus unpacks it as long as it takes. */
const WEEK = 7 * 86_400_000

export const planImport: PlanStep<ImportStep> = async (step, io, job, watcher = silent) => {
  const busy = io.busy.begin(job, subjectKey(step.to), 'receives')
  if (busy !== null) return err(busy)
  const judged = await judge(step, io)
  if (!judged.ok) return judged
  return ok({
    calls: judged.value.there === null ? [] : [deleteCall(step.to)],
    next: async () => sent(step, judged.value, io, watcher),
  })
}

/** Why it would fail, and what will differ. */
export const planCheckImport: PlanStep<CheckImportStep> = async (step, io) => {
  const judged = await judge(step, io)
  if (!judged.ok && !isRefusal(judged.error)) return judged
  const reply: ImportCheck = judged.ok
    ? {
        refusal: null,
        warnings:
          nounOf(step.to) === 'bucket'
            ? [...withoutText(step, judged.value.details), keysText(judged.value.held)]
            : [
                ...differencesOf(
                  cloningOf(step, judged.value.name),
                  besideGiven(judged.value.details, step.given),
                ),
                ...withoutText(step, judged.value.details),
              ],
        export: { name: judged.value.name, encrypted: judged.value.held.manifest.stored.encryption !== null },
      }
    : { refusal: judged.error.message, warnings: [], export: null }
  return ok({ calls: [], reply })
}

/** Of a rule, or of the export itself: it stays so. */
const isRefusal = ({ code, status }: CallError): boolean =>
  code === 'not-allowed' || (code === 'export' && status !== undefined)

type Judged = {
  name: string
  held: Held
  details: Held['details']
  place: Chosen
  there: There | null
}

async function judge(
  step: Importing & { name: string | null },
  io: StepIo,
): Promise<Result<Judged, CallError>> {
  const refusal = (why: string) => err(refused(`import ${subjectKey(step.to)}`, why))
  const why = againstImport(step, io)
  if (why !== null) return refusal(why)
  const there = await readThere(step.to, io)
  if (!there.ok) return there
  if (there.value !== null && againstRemovalOf(there.value) !== null)
    return refusal(`the name of that ${nounOf(step.to)} is taken already: choose another name`)
  const peeked = await io.exports.peek(wantedBy(step, step.name))
  if (!peeked.ok) return peeked
  const held = peeked.value
  const odd = againstHeld(step, held)
  if (odd !== null) return refusal(`${odd}${await otherDriver(step, held, io)}`)
  if (nounOf(step.to) === 'bucket') {
    const place = await fitBucket(step.to, held.manifest.archive.bytes, io)
    const { details, manifest } = held
    return place.ok
      ? ok({ name: manifest.name, held, details, place: place.value, there: there.value })
      : refusal(place.error)
  }
  const isVolume = volumeIn(step.to.instance) !== null
  const details = isVolume
    ? originalVolume(held)
    : originalOf(held, await readProfiles(step.to, io), step.given)
  if (own(step.given?.devices, details.rootDevice) !== undefined)
    return refusal(
      `${details.rootDevice} is its root disk: name its pool by --pool, and change its size once it is there`,
    )
  const { name } = held.manifest
  const size = held.manifest.archive.bytes
  const choose = isVolume ? fitVolume : fitPlace
  const place = await choose(
    cloningOf(step, name),
    { details: isVolume ? details : withGiven(details, step.given), size },
    io,
  )
  return place.ok
    ? ok({ ...{ name, held, details, place: place.value }, there: there.value })
    : refusal(hinted(place.error))
}

/** What the place lacks may be replaced. */
const hinted = (why: string): string =>
  / has no profile /.test(why)
    ? `${why}, or say which it has instead, by --profiles`
    : / has no network /.test(why)
      ? `${why}, or give it another card, by --devices`
      : why

const wantedBy = ({ store, of, key }: Importing, name: string | null): Wanted => ({ store, of, name, key })

/** By itself an export comes back to where its instance was, so that nobody else gets to read it. */
function againstImport({ of, store, to, given }: Importing, { remotes, exports }: StepIo): string | null {
  if (nounOf(of) !== nounOf(to)) return `what was exported of a ${nounOf(of)} becomes no ${nounOf(to)}`
  if (!exports.stores.includes(store)) return `it has no store "${store}" in its configuration`
  const odd = given === undefined ? null : againstGiven(to, given)
  if (odd !== null) return odd
  const there = own(remotes, to.remote)
  if (there?.restores === false) return `"restores" is false for "${to.remote}" in its configuration`
  if (there?.receives?.includes(of.remote) === true) return null
  const isHome = to.remote === of.remote && to.project === of.project && isSource(remotes, to.remote)
  return isHome
    ? null
    : `exports of "${of.remote}" may become instances in project ${to.project} on "${to.remote}" only if its configuration says so: set "receives": ["${of.remote}"] for "${to.remote}" there`
}

const againstGiven = (to: InstanceRef, given: CopyGiven): string | null =>
  volumeIn(to.instance) === null
    ? refuseGiven(given)
    : 'a custom volume is given no config, devices or profiles'

function againstHeld({ of }: Importing, { manifest, optimized, details }: Held): string | null {
  if (manifest.instance !== subjectKey(of)) return `its manifest says that it is of ${manifest.instance}`
  if (manifest.type !== details.type) return `its manifest says that it is a ${manifest.type}`
  return optimized || manifest.optimized
    ? `${manifest.name} is in the form of its pool’s driver, ${manifest.driver}, in which its config can't be checked: decrypt and unpack it (${sizeOf(manifest.archive.bytes)}), look at it, and import it by hand into a pool of ${manifest.driver}, with "${manifest.type === 'volume' ? 'incus storage volume import' : 'incus import'}"`
    : null
}

/** Of one in the form of its driver: where Incus would refuse it, too. */
async function otherDriver(
  { to, pool }: Importing,
  { manifest, details, optimized }: Held,
  io: StepIo,
): Promise<string> {
  if (!optimized && !manifest.optimized) return ''
  const named = volumeIn(to.instance)?.pool ?? pool ?? details.root.pool ?? ''
  const driver = await driverOf(to.remote, named, io)
  return driver === '' || driver === manifest.driver
    ? ''
    : `. Incus itself takes it into no other: the pool "${named}" on ${to.remote} is of ${driver}`
}

/** Sends it, waits until Incus has made an instance of it, and goes on with that. */
async function sent(
  step: ImportStep,
  judged: Judged,
  io: StepIo,
  watcher: Watcher,
): Promise<Result<Planned, CallError>> {
  const described = await describe(step, judged, io)
  const { bytes, problem } = io.exports.load(
    wantedBy(step, judged.name),
    judged.held,
    described.description,
    unlessCancelled(watcher),
  )
  const { remote, project, instance } = step.to
  const [volume, bucket] = [volumeIn(instance), bucketIn(instance)]
  const into = volume ?? bucket
  const reply = await io.upload(
    remote,
    into === null
      ? request('receiveInstance', {}, { project })
      : request(volume === null ? 'receiveBucket' : 'receiveVolume', { pool: into.pool }, { project }),
    { name: volume?.volume ?? bucket?.bucket ?? instance, pool: described.named, bytes },
  )
  const wrong = problem()
  if (wrong !== null) return err(wrong)
  const answer = readAnswer(remote, reply)
  if (!answer.ok) return answer
  const operation = parseOperation(answer.value.envelope.metadata)
  if (operation === null)
    return err({ code: 'bad-reply', message: `"${remote}" took the export and named no operation` })
  const watched = { remote, operation: operation.id }
  watcher.begun?.(watched)
  watcher.waits(watched)
  const ended = await awaitOperation(io, watched, { ...io.timeouts, limit: WEEK }, watcher.progress)
  if (!ended.ok) return err(advised(step, described.description.pool, ended.error))
  if (bucket !== null) return finishingWith(step, {}, markOf(step, true, io), io)
  const lasting = lastingConfig(cloningOf(step, judged.name), judged.details)
  return finishingWith(step, lasting, markOf(step, true, io), io)
}

/** No instance has that name, so a server that was killed while it unpacked has left what only its own disk shows. */
const advised = ({ to }: ImportStep, pool: string, error: CallError): CallError =>
  /already exists on target/.test(error.message)
    ? {
        ...error,
        message: `${error.message}: ${to.remote} was killed while it unpacked an import of that name, and left a folder: remove storage-pools/${pool}/containers/${to.instance} (virtual-machines/ for a machine) below its /var/lib/incus, or choose another name`,
      }
    : error

async function describe(
  step: ImportStep,
  { name, held, details, place }: Judged,
  io: StepIo,
): Promise<{ description: Description; named: string | null }> {
  const cloning = { ...cloningOf(step, name), pool: place.pool }
  const madeAt = new Date(io.clock.now()).toISOString()
  const ofBucket = bucketIn(step.to.instance)
  if (ofBucket !== null) {
    const { pool } = ofBucket
    const body = bucketBody(step.to, held, { mark: markOf(step, false, io), madeAt })
    const driver = await driverOf(step.to.remote, pool, io)
    return { description: { to: step.to, ...body, pool, driver, madeAt }, named: null }
  }
  const inPool = volumeIn(step.to.instance)?.pool
  if (inPool !== undefined) {
    const volume = volumeBody(cloning, details, markOf(step, false, io))
    const driver = await driverOf(step.to.remote, inPool, io)
    return { description: { to: step.to, volume, pool: inPool, driver, madeAt }, named: null }
  }
  const body = importBody(cloning, details, held, { mark: markOf(step, false, io), given: step.given })
  const pool = place.used ?? details.root.pool ?? ''
  const root = { [details.rootDevice]: { ...details.root, type: 'disk', path: '/', pool } }
  const driver = await driverOf(step.to.remote, pool, io)
  return { description: { to: step.to, body, pool, driver, root, madeAt }, named: place.used }
}

function withoutText({ to }: Importing, details: Held['details']): string[] {
  const dropped = details.type === 'bucket' ? droppedOfBucket(details) : droppedOf(details)
  return dropped.length === 0
    ? []
    : [`${subjectKey(to)} is made without ${dropped.join(', ')}; set it again if it needs that`]
}

async function driverOf(remote: string, pool: string, { upstream }: StepIo): Promise<string> {
  const seen = pool === '' ? null : await call(upstream, remote, request('getPool', { pool }))
  const metadata = seen?.ok === true ? seen.value.envelope.metadata : null
  return isObject(metadata) ? text(metadata.driver) : ''
}

const markOf = ({ to, name, start }: ImportStep, made: boolean, { seal }: StepIo): string =>
  seal.put(to, renderMaking({ snapshot: name, imported: true, whole: false, start, made, from: null }))
