/**
 * Lets an instance stand still, and run again. Before it stands still it gets a mark, sealed by the relay: whatever
 * crashes, that says who stopped it. An instance without such a mark was stopped by somebody else, and is left so.
 */
import { request } from '../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { PAUSING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { type CallIo, runCalls } from './call-list.ts'
import { isObject, text } from './envelope.ts'
import { endHook, type HookIo } from './hook-commands.ts'
import { hookOn, isPausedByRelay, pausedSince } from './pause-mark.ts'
import { markCall, stateCall, where } from './steps/requests.ts'

/** Incus's word for what it does, its own config, and all that Incus shows of it; null: it is gone. */
export async function readStatus(
  ref: InstanceRef,
  { upstream }: Pick<CallIo, 'upstream'>,
): Promise<Result<{ status: string; config: unknown; instance: Record<string, unknown> } | null, CallError>> {
  const { parameters, query } = where(ref)
  const seen = await call(upstream, ref.remote, request('getInstance', parameters, query))
  if (!seen.ok) return seen.error.status === 404 ? ok(null) : seen
  const { metadata } = seen.value.envelope
  // As of an offline cluster member: its mark isn't known.
  return isObject(metadata) && isObject(metadata.config)
    ? ok({ status: text(metadata.status), config: metadata.config, instance: metadata })
    : err(badReply(ref.remote, seen.value.status, `the instance ${ref.instance} has no config in it`))
}

/**
 * Runs again what the relay's own mark is on, runs the command after of its hook, and takes the mark off; anything else stays as it
 * is. What was stopped keeps its mark for the time when it runs, for no command can be run in it.
 */
export async function resume(ref: InstanceRef, io: HookIo): Promise<Result<null, CallError>> {
  const seen = await readStatus(ref, io)
  if (!seen.ok) return seen
  const since = seen.value === null ? null : pausedSince(ref, seen.value.config, io.seal)
  if (seen.value === null || since === null) return ok(null)
  const { status, config } = seen.value
  const isPaused = isPausedByRelay(ref, config, io)
  // What is about to stand still can't be told to run on yet.
  if (isPaused && status === 'Freezing')
    return err({ code: 'incus', message: `${ref.instance} is about to stand still` })
  const name = isPaused ? hookOn(ref, config, io.seal) : null
  if (name !== null && !RUNS.includes(status)) return ok(null)
  const unmark = markCall(ref, { [PAUSING]: '' })
  const thaw = isPaused && status === 'Frozen' ? [stateCall(ref, 'unfreeze')] : []
  const ran = await runCalls(name === null ? [...thaw, unmark] : thaw, io, { urgent: true })
  if (!ran.ok) return ran
  if (name !== null) {
    const ended = await endHook({ ref, name, since }, io)
    if (!ended.ok) return ended
    const unmarked = await runCalls([unmark], io, { urgent: true })
    if (!unmarked.ok) return unmarked
  }
  io.journal.noteResumed(subjectKey(ref), since)
  return ok(null)
}

const RUNS = ['Running', 'Ready', 'Frozen']
