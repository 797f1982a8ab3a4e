/** Removes an export from its store, unless something speaks against it; and one job after the other, as for all that is said of exports. */
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { badKey } from '../export-removal.ts'
import type { Surveyed } from '../exports.ts'
import { locked } from '../locks.ts'
import { refused } from '../rules.ts'
import type { Planned, StepIo } from './step-io.ts'

export type OfExport = { ref: InstanceRef; store: string; name: string }

const DONE: Result<Planned, CallError> = ok({ calls: [] })

/** One after the other of an instance and a store, so that each sees what the one before has left. */
export async function alone(
  { ref, store }: OfExport,
  io: StepIo,
  job: string,
  work: () => Promise<Result<Planned, CallError>>,
): Promise<Result<Planned, CallError>> {
  const lock = `removal ${store} ${subjectKey(ref)}`
  if (!io.locks.take(lock, job)) return err(locked(lock, io.locks))
  try {
    return await work()
  } finally {
    io.locks.release(lock, job)
  }
}

/** `asked`: by a note of somebody's, not by a policy. `against`: why it stays, of all whole ones that its store has of the instance; null: it may go. */
export async function removeUnless(
  { ref, store, name }: OfExport,
  io: StepIo,
  { asked }: { asked: boolean },
  against: (wanted: Surveyed, exports: readonly Surveyed[]) => Promise<Result<string | null, CallError>>,
): Promise<Result<Planned, CallError>> {
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
    return listed.value.length === 0 ? DONE : refusal('there is no whole export of that name')
  }
  const why = await against(wanted, exports)
  if (!why.ok) return why
  if (why.value !== null) return refusal(why.value)
  const removed = await io.exports.remove(store, ref, wanted.manifest, asked)
  if (!removed.ok) return removed
  io.journal.noteBad(badKey(store, key, name), false)
  return DONE
}
