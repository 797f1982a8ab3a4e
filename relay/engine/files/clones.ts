/**
 * Instances that are made of snapshots so that their files can be read: never started, and the same one for all that is read within
 * some minutes. They go when nobody has read for as long, and those that a killed relay has left at the next look.
 */
import { isIn } from '../../../shared/incus/pairs.ts'
import { request } from '../../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { MAKING } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import type { Owner } from '../busy.ts'
import { brokenBy, call } from '../call.ts'
import { runCalls } from '../call-list.ts'
import { isObject, text } from '../envelope.ts'
import { isReplica, verifiedOn } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import { replicaOf } from '../sightings.ts'
import { temporaryBody } from '../steps/export-body.ts'
import { refuseSpace } from '../steps/export-space.ts'
import { where } from '../steps/requests.ts'
import { postponing } from '../steps/snapshots.ts'
import type { StepIo } from '../steps/step-io.ts'
import { createCall, readSource, type Source, UNNOTED } from '../steps/temporary-source.ts'
import { removeTemporary } from '../temporaries.ts'
import { readableOf } from '../temporary.ts'
import type { Clones } from './readable.ts'

/** Milliseconds for which one stays that nobody uses. */
export const IDLE = 600_000
/** Milliseconds. What expires while it is copied arrives empty, and Incus calls that a success. */
const DAY = 86_400_000
/** At once, of all remotes: on some pools each takes the space of its instance. */
const MOST = 4

type Entry = {
  ref: InstanceRef
  made: Promise<Result<null, CallError>>
  users: number
  /** Milliseconds since the epoch. */
  usedAt: number
  callOff(): void
}

export function createClones(io: StepIo): Clones {
  const known = new Map<string, Entry>()
  const leaving = new Map<string, Promise<void>>()

  const remove = (key: string): Promise<void> => {
    const entry = known.get(key)
    if (entry === undefined) return Promise.resolve()
    known.delete(key)
    entry.callOff()
    const gone = entry.made
      .then(() => io.temporaries.end(entry.ref))
      .finally(() => leaving.get(key) === gone && leaving.delete(key))
    leaving.set(key, gone)
    return gone
  }
  const rest = (key: string, entry: Entry): void => {
    entry.usedAt = io.clock.now()
    entry.callOff()
    if (entry.users > 0) return
    entry.callOff = io.clock.after(IDLE, () => void remove(key))
  }
  const makeRoom = (): CallError | null => {
    if (known.size < MOST) return null
    const [idlest] = [...known].filter(([, { users }]) => users === 0).sort(byUse)
    if (idlest === undefined)
      return {
        code: 'locked',
        message: `files of ${MOST} snapshots are being read just now; try again in some minutes`,
      }
    void remove(idlest[0])
    return null
  }
  const begin = (ref: InstanceRef, snapshot: string, key: string): Result<Entry, CallError> => {
    const full = makeRoom()
    if (full !== null) return err(full)
    const readable = readableOf(ref, snapshot)
    const before = leaving.get(key) ?? Promise.resolve()
    const made = before
      .then(() => make({ ref, snapshot, readable }, io))
      .catch((cause: unknown) => err(brokenBy(cause)))
    const entry: Entry = { ref: readable, made, users: 0, usedAt: io.clock.now(), callOff: () => {} }
    known.set(key, entry)
    void made.then((result) => (result.ok ? rest(key, entry) : void remove(key)))
    return ok(entry)
  }
  return {
    async open(ref, snapshot, within) {
      const key = `${subjectKey(ref)} ${snapshot}`
      const there = known.get(key)
      const begun = there === undefined ? begin(ref, snapshot, key) : ok(there)
      if (!begun.ok) return begun
      const entry = begun.value
      entry.users += 1
      const leave = once(() => {
        entry.users -= 1
        if (known.get(key) === entry) rest(key, entry)
      })
      const made = await inTime(entry.made, within, io)
      if (made?.ok === true) return ok({ ref: entry.ref, leave })
      leave()
      return made === null ? ok(null) : made
    },
    async close() {
      await Promise.all([...[...known.keys()].map(remove), ...leaving.values()])
    },
  }
}

const byUse = ([, one]: [string, Entry], [, other]: [string, Entry]): number => one.usedAt - other.usedAt

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) work()
    isDone = true
  }
}

/** Null: it has not ended by then. */
function inTime<T>(work: Promise<T>, ms: number, { clock }: Pick<StepIo, 'clock'>): Promise<T | null> {
  return new Promise((resolve) => {
    const callOff = clock.after(ms, () => resolve(null))
    void work.then((value) => {
      callOff()
      resolve(value)
    })
  })
}

type Making = { ref: InstanceRef; snapshot: string; readable: InstanceRef }

async function make(making: Making, io: StepIo): Promise<Result<null, CallError>> {
  const { ref, snapshot, readable } = making
  const why = await against(ref, snapshot, io)
  if (!why.ok) return why
  if (why.value !== null) return err(refused(`read files of ${snapshot} of ${subjectKey(ref)}`, why.value))
  const owner: Owner = { id: `files ${subjectKey(ref)}` }
  const busy = io.busy.begin(owner, subjectKey(ref), 'reads')
  if (busy !== null) return err(busy)
  io.temporaries.begin(readable)
  try {
    return await copied(making, io)
  } finally {
    io.busy.end(owner)
  }
}

/** Null: it may be read. */
async function against(
  ref: InstanceRef,
  snapshot: string,
  io: StepIo,
): Promise<Result<string | null, CallError>> {
  if (volumeIn(ref.instance) !== null) return ok('it is a custom volume')
  const seen = await io.sightings.readAll(ref)
  if (!seen.ok) return seen.error.status === 404 ? ok('there is no such instance') : seen
  const { sighting, instance } = seen.value
  if (isObject(instance) && instance.type === 'virtual-machine')
    return ok(
      'it is a virtual machine, whose files only its own agent can read: clone the snapshot, and start that',
    )
  const isCopy = replicaOf(sighting) !== '' || isReplica(ref, sighting, io)
  if (!isCopy && !isSource(io.remotes, ref.remote)) return ok(notSource(ref.remote))
  if (sighting.own.includes(MAKING)) return ok('it is being made itself')
  const pair = (sighting.snapshots ?? []).find(([name]) => name === snapshot)
  if (pair === undefined) return ok('there is no such snapshot')
  if (io.sightings.isGoing(ref, pair)) return ok('it is being removed')
  if (isIn(io.sightings.torn(ref), pair)) return ok('it has no data')
  if (isCopy && !isIn(verifiedOn(ref, sighting, io), pair))
    return ok('it is not verified on that copy, so it may hold no data')
  return ok(null)
}

async function copied({ ref, snapshot, readable }: Making, io: StepIo): Promise<Result<null, CallError>> {
  const removed = await removeTemporary(readable, io)
  if (!removed.ok) return removed
  const source = await readSource(ref, snapshot, io)
  if (!source.ok) return source
  const full = await refuseSpace(ref, { ...source.value, backups: '' }, io, 'an instance made of it')
  if (full !== null) return err(refused(`read files of ${subjectKey(ref)}`, full))
  const late = await postponing(ref, { snapshot, until: new Date(io.clock.now() + DAY) }, io)
  if (!late.ok) return late
  const mark = io.seal.put(readable, `files ${snapshot}`)
  const made = temporaryBody(ref, snapshot, source.value.details, { name: readable.instance, mark })
  // Without that note nothing would ever remove it again.
  if (!io.journal.noteTemporary(subjectKey(readable), 'making')) return err(UNNOTED)
  const ran = await runCalls([...late.value, createCall(readable, made, source.value)], io, { urgent: true })
  if (!ran.ok) return ran
  if (!io.journal.noteTemporary(subjectKey(readable), 'made')) return err(UNNOTED)
  return stillThere({ ref, snapshot }, source.value, io)
}

/** If it was removed meanwhile, what was made of it may be empty, and Incus calls that a success. */
async function stillThere(
  { ref, snapshot }: Pick<Making, 'ref' | 'snapshot'>,
  { details }: Source,
  io: StepIo,
): Promise<Result<null, CallError>> {
  const { parameters, query } = where(ref)
  const again = await call(
    io.upstream,
    ref.remote,
    request('getSnapshot', { ...parameters, snapshot }, query),
  )
  if (!again.ok) return again
  const { metadata } = again.value.envelope
  return isObject(metadata) && text(metadata.created_at) === details.createdAt
    ? ok(null)
    : err(refused(`read files of ${subjectKey(ref)}`, `${snapshot} was replaced meanwhile`))
}

/** Whether its configuration lets anybody read files there. */
export const mayRead = ({ remotes }: Pick<StepIo, 'remotes'>, remote: string): string | null =>
  own(remotes, remote)?.files === true
    ? null
    : `whoever has its key could read all files there, so it takes "files": true for "${remote}" in its configuration`
