/** Shuts down the instances that use a custom volume, and starts them again. */
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, type Result } from '../../../shared/result.ts'
import { runCalls, type Watcher } from '../call-list.ts'
import { readStatus } from '../pausing.ts'
import { refused } from '../rules.ts'
import { againstStart } from '../volume-marks.ts'
import { STEP_WAIT, stateCall, stopCall } from './requests.ts'
import type { StepIo } from './step-io.ts'

export const nameOf = ({ instance }: InstanceRef): string => instance

/** Null: none of them runs. */
export async function stopAll(
  users: readonly InstanceRef[],
  io: StepIo,
  watcher: Watcher,
): Promise<CallError | null> {
  if (users.length > 0) watcher.progress(`${users.map(nameOf).join(', ')}: being shut down`)
  return firstOf(
    users.map(async (user) => {
      const seen = await readStatus(user, io)
      if (!seen.ok) return seen.error
      const status = seen.value?.status ?? 'Stopped'
      if (status === 'Stopped') return null
      const ran = await runCalls([stopCall(user)], io, { urgent: true })
      const after = await readStatus(user, io)
      if (!after.ok) return after.error
      if (after.value === null || after.value.status === 'Stopped') return null
      const why = ran.ok ? `it is ${after.value.status}` : ran.error.message
      return refused(
        `stop ${subjectKey(user)} by force`,
        `it did not shut down in time (${why}); stop it yourself, and ask again`,
      )
    }),
  )
}

/** Those of them that are stopped, for `volume`. Null: they run again, or are gone. */
export const startAll = (
  volume: InstanceRef,
  users: readonly InstanceRef[],
  io: StepIo,
): Promise<CallError | null> =>
  firstOf(
    users.map(async (user) => {
      const seen = await readStatus(user, io)
      if (!seen.ok) return seen.error
      if (seen.value?.status !== 'Stopped') return null
      const why = await againstStart(user, seen.value.instance, volume, io)
      if (!why.ok) return why.error
      if (why.value !== null) return refused(`start ${subjectKey(user)}`, why.value)
      const ran = await runCalls([stateCall(user, 'start', STEP_WAIT)], io, { urgent: true })
      if (ran.ok) return null
      const after = await readStatus(user, io)
      return after.ok && after.value?.status === 'Running'
        ? null
        : { ...ran.error, message: `${subjectKey(user)} doesn’t start: ${ran.error.message}` }
    }),
  )

/** Of all, once they have ended. */
const firstOf = async (all: readonly Promise<CallError | null>[]): Promise<CallError | null> =>
  (await Promise.all(all)).find((error) => error !== null) ?? null

/** Seconds within which one that was told to shut down, and took too long, may do so yet; and between two looks at it. */
const LATE = 300
const BETWEEN = 15

/** Nothing was changed: what was stopped runs again at once, and the next tick takes the mark off. */
export async function startAgain(
  volume: InstanceRef,
  users: readonly InstanceRef[],
  error: CallError,
  io: StepIo,
): Promise<Result<never, CallError>> {
  const left = await startAll(volume, users, io)
  return err(left === null ? error : { ...error, message: `${error.message}; and ${left.message}` })
}

/** The same, where one has not shut down in time: it may do so yet, and then it is started, too. */
export async function startLate(
  volume: InstanceRef,
  users: readonly InstanceRef[],
  error: CallError,
  io: StepIo,
): Promise<Result<never, CallError>> {
  const { clock } = io
  const until = clock.now() + LATE * 1000
  await startAll(volume, users, io)
  while (clock.now() < until) {
    await new Promise<void>((resolve) => void clock.after(BETWEEN * 1000, resolve))
    await startAll(volume, users, io)
  }
  return startAgain(volume, users, error, io)
}
