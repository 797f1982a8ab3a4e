/**
 * Instances that are made of snapshots so that their files can be read: never started, and the same one for all that is read within
 * some minutes. Of a custom volume it is another volume. They go when nobody has read for as long, and those that a killed relay
 * has left at the next look.
 */
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { brokenBy } from '../call.ts'
import type { StepIo } from '../steps/step-io.ts'
import { readableOf } from '../temporary.ts'
import { makeReadable } from './make.ts'
import type { Clones } from './readable.ts'

/** Milliseconds for which one stays that nobody uses. */
export const IDLE = 600_000
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
      .then(() => makeReadable({ ref, snapshot, readable }, io))
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

/** Whether its configuration lets anybody read files there. */
export const mayRead = ({ remotes }: Pick<StepIo, 'remotes'>, remote: string): string | null =>
  own(remotes, remote)?.files === true
    ? null
    : `whoever has its key could read all files there, so it takes "files": true for "${remote}" in its configuration`
