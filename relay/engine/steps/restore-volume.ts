/**
 * Restores a custom volume in place. As of an instance, the mark comes first, then the safety snapshot. Incus restores it only while
 * nothing that uses it runs, so that is shut down then and started again, whatever comes of it; and it keeps the volume's config, so
 * the mark stays until the end and says what ran.
 */
import { leavesAsItWas } from '../../../shared/incus/refusal.ts'
import { type InstanceRef, subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { MAKING, RESTORED, RESTORING } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { EndRestoreStep, RestoreStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import {
  parseRestoring,
  type Restoring,
  renderRestoring,
  wordsOf,
} from '../../../shared/work/restore/mark.ts'
import type { Owner } from '../busy.ts'
import { runCalls, silent, type Watcher } from '../call-list.ts'
import type { Call } from '../calls.ts'
import { whileRestored } from '../locks.ts'
import { refused } from '../rules.ts'
import type { Sighting } from '../sightings.ts'
import { restoreVolumeRequest } from '../subject-requests.ts'
import { readUsers, type User } from '../volume-users.ts'
import { expiryCall, markCall, removeCall, takeCall } from './requests.ts'
import { postponing } from './snapshots.ts'
import type { Planned, StepIo } from './step-io.ts'
import { nameOf, startAgain, startAll, startLate, stopAll } from './volume-users-state.ts'

/** In seconds. A full copy on pools without cheap snapshots takes as long as it takes. */
const DAY = 86_400

/**
 * After a restore whose end nobody may have seen. Incus goes on with it though its client or the daemon is gone, shows it nowhere,
 * and lets another one run beside it (tried on 6.0.4 and 7.0.2). The other one does all that is left to it, so it is waited for as
 * long again, at least for this time (milliseconds), and what it did meanwhile is made good before anybody may write.
 */
const SETTLED = 60_000

/** `seen`, `volume`: the volume, as it is now. The rules for any restore were kept. */
export async function restoreVolume(
  step: RestoreStep,
  { seen, volume }: { seen: Sighting; volume: unknown },
  io: StepIo,
  { job, watcher = silent }: { job: Owner; watcher?: Watcher | undefined },
): Promise<Result<Planned, CallError>> {
  const { ref, safety } = step
  const refusal = (why: string) => err(refused(`restore ${subjectKey(ref)} to ${step.snapshot}`, why))
  const mark = markOn(seen, ref, io)
  const why = against(step, seen, mark)
  if (why !== null) return refusal(why)
  if (step.restored)
    return mark === null ? refusal(NO_MARK) : end(ref, mark, marksOf(seen, [safety.name]), io)
  const users = await readUsers(ref, volume, io)
  if (!users.ok) return users
  const strange = againstUsers(step, mark, users.value)
  if (strange !== null) return refusal(strange)
  const stopped = stoppedFor(step, mark, users.value.users)
  const taken = begin(stopped, io, job)
  if (taken !== null) return err(taken)
  const done = await restoreWith(step, { seen, mark, users: stopped }, io, watcher)
  io.sightings.forget(ref)
  return done.ok ? ok({ calls: [] }) : done
}

const NO_MARK = `it has no ${RESTORING} of this relay`

/** The relay's own mark; null: there is none. */
function markOn(
  { own: keys, config }: Sighting,
  ref: InstanceRef,
  { seal }: Pick<StepIo, 'seal'>,
): Restoring | null {
  const text = keys.includes(RESTORING) ? (own(config, RESTORING) ?? '') : ''
  return seal.isOn(ref, text) ? parseRestoring(text) : null
}

function against(
  { stateful, holds, running, restored, safety }: RestoreStep,
  { own: keys, config }: Sighting,
  mark: Restoring | null,
): string | null {
  if (stateful || running || Object.keys(holds).length > 0)
    return 'a volume has no memory, and keeps its marks'
  if (keys.includes(MAKING)) return 'it is being made itself'
  if (!restored) return null
  const isWhole = wordsOf(own(config, RESTORED)).includes(safety.name)
  return isWhole && mark?.safety === safety.name ? null : `its marks don’t say that it was restored`
}

type Users = { users: readonly User[]; unseen: readonly string[] }

function againstUsers(
  { ref, users: named = [] }: RestoreStep,
  mark: Restoring | null,
  { users, unseen }: Users,
): string | null {
  const [hidden] = unseen
  if (hidden !== undefined)
    return `${hidden} uses it, which the relay’s certificate may not see: detach the volume from it first`
  for (const { ref: user, status, isCopy, runs, lasting } of users) {
    const name = subjectKey(user)
    if (user.project !== ref.project) return `${name} uses it, and is in another project`
    if (isCopy) return `${name} uses it, and is a copy`
    if (runs === null) return `${name} uses it, and is ${status}`
    if (runs && lasting !== null) return `${name} uses it and runs, and ${lasting}: stop it yourself first`
    if (runs && mark?.writing === true)
      return `${name} was started in the meantime, so nothing more is done to the volume: stop it and ask again`
    if (runs && !named.includes(user.instance))
      return `${name} uses it and runs by now: ask again, so that it is known what is stopped`
  }
  return null
}

/** Names of those that run, or that an earlier try of this relay has stopped. */
function stoppedFor(
  { users: named = [] }: RestoreStep,
  mark: Restoring | null,
  users: readonly User[],
): InstanceRef[] {
  const left = mark?.taken === true || mark?.writing === true ? mark.users : []
  return users
    .filter(
      ({ ref: { instance }, runs }) => named.includes(instance) && (runs === true || left.includes(instance)),
    )
    .map(({ ref }) => ref)
}

/** Null: nothing else is done to them from now on. */
function begin(users: readonly InstanceRef[], io: StepIo, job: Owner): CallError | null {
  for (const user of users) {
    const busy = whileRestored(user, job.id, io.locks) ?? io.busy.begin(job, subjectKey(user), 'stops')
    if (busy !== null) return busy
  }
  return null
}

type Known = { seen: Sighting; mark: Restoring | null; users: readonly InstanceRef[] }

async function restoreWith(
  step: RestoreStep,
  { seen, mark, users }: Known,
  io: StepIo,
  watcher: Watcher,
): Promise<Result<null, CallError>> {
  const { ref, snapshot, safety } = step
  const run = (calls: readonly Call[]) => runCalls(calls, io, { watcher, urgent: true })
  const base = { snapshot, safety: safety.name, running: false, stateful: false, users: users.map(nameOf) }
  const isMixed = isMixture(seen, mark)
  const put = ({ taken, writing }: Pick<Restoring, 'taken' | 'writing'>) =>
    sealed(ref, { ...base, taken, writing: writing || isMixed }, io)
  const restoreSettled = async (began: number) => {
    watcher.progress('an earlier restore of it may not have ended, so it is waited for')
    const ms = Math.max(SETTLED, io.clock.now() - began)
    await new Promise<void>((resolve) => void io.clock.after(ms, resolve))
    return run([restoreCall(ref, snapshot)])
  }
  const late =
    step.expiresAt === null
      ? ok([])
      : await postponing(ref, { snapshot, until: new Date(step.expiresAt) }, io)
  if (!late.ok) return late
  const take = [
    ...(step.partial === null ? [] : [removeCall(ref, step.partial)]),
    markCall(ref, { [RESTORING]: put({ taken: false, writing: false }) }),
    takeCall(ref, { name: safety.name, stateful: false, expiresAt: safety.expiresAt }, DAY),
  ]
  const ready = await run([
    ...step.held.map((name) => expiryCall(ref, name, null)),
    ...late.value,
    ...(safety.taken ? [] : take),
    ...(isMixed && safety.taken
      ? []
      : [markCall(ref, { [RESTORING]: put({ taken: true, writing: false }) })]),
  ])
  if (!ready.ok) return ready
  const still = await stopAll(users, io, watcher)
  if (still !== null) return isMixed ? err(still) : startLate(ref, users, still, io)
  const writing = put({ taken: true, writing: true })
  const marked = isMixed ? ok([]) : await run([markCall(ref, { [RESTORING]: writing })])
  if (!marked.ok) return startAgain(ref, users, marked.error, io)
  watcher.progress('its data is being restored')
  const began = io.clock.now()
  const first = await run([restoreCall(ref, snapshot)])
  const restored = first.ok && isMixed ? await restoreSettled(began) : first
  // Else its data may be a mixture, and nothing that uses it is started.
  if (!restored.ok)
    return !isMixed && leavesAsItWas(restored.error) ? startAgain(ref, users, restored.error, io) : restored
  const noted = await run([markCall(ref, marksOf(seen, [safety.name]))])
  if (!noted.ok) return noted
  const failed = await startAll(ref, users, io)
  if (failed !== null) return err(failed)
  const over = await run([markCall(ref, { [RESTORING]: '' })])
  return over.ok ? ok(null) : over
}

/** An earlier try, or an earlier restore, may have left its data partly old and partly new. */
const isMixture = ({ config }: Sighting, mark: Restoring | null): boolean =>
  mark?.writing === true && !wordsOf(own(config, RESTORED)).includes(mark.safety)

const sealed = (ref: InstanceRef, mark: Restoring, { seal }: Pick<StepIo, 'seal'>): string =>
  seal.put(ref, renderRestoring(mark))

const restoreCall = (ref: InstanceRef, snapshot: string): Call => ({
  remote: ref.remote,
  blocks: DAY,
  ...restoreVolumeRequest(ref, snapshot),
})

/** Complete safety snapshots, with those that are named already. */
function marksOf({ config }: Sighting, safeties: readonly string[]): Record<string, string> {
  return { [RESTORED]: [...new Set([...safeties, ...wordsOf(own(config, RESTORED))])].join(' ') }
}

/** What its mark names runs again, and then the mark goes. */
async function end(
  ref: InstanceRef,
  { users }: Restoring,
  marks: Record<string, string>,
  io: StepIo,
): Promise<Result<Planned, CallError>> {
  const failed = await startAll(
    ref,
    users.map((instance) => ({ ...ref, instance })),
    io,
  )
  if (failed !== null) return err(failed)
  return ok({ calls: [markCall(ref, { ...marks, [RESTORING]: '' })], done: () => io.sightings.forget(ref) })
}

/** Of a restore that changed nothing, or that is done. */
export async function endVolumeRestore(
  { ref, safeties }: EndRestoreStep,
  seen: Sighting,
  io: StepIo,
): Promise<Result<Planned, CallError>> {
  const mark = markOn(seen, ref, io)
  const isWhole = wordsOf(own(seen.config, RESTORED)).includes(mark?.safety ?? '')
  if (mark === null || volumeIn(ref.instance) === null)
    return err(refused(`end the restore of ${subjectKey(ref)}`, NO_MARK))
  if (!mark.taken && mark.writing && !isWhole)
    return err(refused(`end the restore of ${subjectKey(ref)}`, 'its data may be partly old and partly new'))
  if (!mark.taken && !isWhole)
    return ok({ calls: [markCall(ref, { [RESTORING]: '' })], done: () => io.sightings.forget(ref) })
  const known = safeties.filter((name) => name === mark.safety)
  return end(ref, mark, marksOf(seen, known), io)
}
