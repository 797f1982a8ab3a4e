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
import { isPausedByRelay, pausedSince } from './pause-mark.ts'
import { markCall, stateCall, where } from './steps/requests.ts'

/** Incus's word for what it does, and its own config; null: it is gone. */
export async function readStatus(
  ref: InstanceRef,
  { upstream }: Pick<CallIo, 'upstream'>,
): Promise<Result<{ status: string; config: unknown } | null, CallError>> {
  const { parameters, query } = where(ref)
  const seen = await call(upstream, ref.remote, request('getInstance', parameters, query))
  if (!seen.ok) return seen.error.status === 404 ? ok(null) : seen
  const { metadata } = seen.value.envelope
  // As of an offline cluster member: its mark isn't known.
  return isObject(metadata) && isObject(metadata.config)
    ? ok({ status: text(metadata.status), config: metadata.config })
    : err(badReply(ref.remote, seen.value.status, `the instance ${ref.instance} has no config in it`))
}

/** Runs again what the relay's own mark is on, and takes that off; anything else stays as it is. */
export async function resume(ref: InstanceRef, io: CallIo): Promise<Result<null, CallError>> {
  const seen = await readStatus(ref, io)
  if (!seen.ok) return seen
  const since = seen.value === null ? null : pausedSince(ref, seen.value.config, io.seal)
  if (seen.value === null || since === null) return ok(null)
  const { status, config } = seen.value
  const isPaused = isPausedByRelay(ref, config, io)
  // What is about to stand still can't be told to run on yet.
  if (isPaused && status === 'Freezing')
    return err({ code: 'incus', message: `${ref.instance} is about to stand still` })
  const thaw = isPaused && status === 'Frozen' ? [stateCall(ref, 'unfreeze')] : []
  const ran = await runCalls([...thaw, markCall(ref, { [PAUSING]: '' })], io, { urgent: true })
  if (!ran.ok) return ran
  io.journal.noteResumed(subjectKey(ref), since)
  return ok(null)
}
