/**
 * Waits for an operation's end. What `/wait` says is a hint: up to 6.0.4 a failure and a timeout look
 * alike, and its HTTP status means nothing. Only its success is conclusive; for the rest the operation
 * is read. One that is gone ended unseen, or its daemon restarted.
 */
import type { Clock } from '../../shared/clock.ts'
import { request } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { CALL_TIMEOUT, call } from './call.ts'
import { type Operation, parseOperation } from './envelope.ts'
import type { Upstream } from './upstream.ts'

/** All times in milliseconds. */
export type Timeouts = {
  /** How long the operation may take. */
  limit: number
  /** How long one `/wait` is held; between two of them the operation is read. */
  round: number
  /** How long Incus may be unreachable, starting or shutting down before its operation counts as lost. */
  silence: number
}

export type Watched = { remote: string; operation: string }

type Io = { upstream: Upstream; clock: Clock }
type Verdict =
  | { state: 'ended'; result: Result<unknown, CallError> }
  | { state: 'living'; operation: Operation; metadata: unknown }
  | { state: 'silent'; error: CallError }

const SECOND = 1000
/** What a `/wait` may take beyond its own timeout. */
const GRACE = 10 * SECOND

export async function awaitOperation(
  io: Io,
  watched: Watched,
  timeouts: Timeouts,
  onProgress: (progress: string) => void = () => {},
): Promise<Result<unknown, CallError>> {
  const deadline = io.clock.now() + timeouts.limit
  let heardAt = io.clock.now()
  for (;;) {
    const began = io.clock.now()
    const verdict = await watchOnce(io, watched, Math.max(0, Math.min(deadline - began, timeouts.round)))
    if (verdict.state === 'ended') return verdict.result
    const now = io.clock.now()
    if (verdict.state === 'living') {
      heardAt = now
      if (verdict.operation.progress !== undefined) onProgress(verdict.operation.progress)
      if (now >= deadline) return err(stillRunning(watched, timeouts.limit))
    } else if (now >= deadline || now - heardAt >= timeouts.silence) return err(lost(watched, verdict.error))
    if (now - began < SECOND) await sleep(io.clock, SECOND)
  }
}

/** One `/wait`, then a read of the operation unless the wait reported success. */
async function watchOnce(io: Io, watched: Watched, round: number): Promise<Verdict> {
  const timeout = Math.ceil(round / SECOND)
  const wait = request('waitOperation', { operation: watched.operation }, { timeout: String(timeout) })
  const hint = await call(io.upstream, watched.remote, wait, timeout * SECOND + GRACE)
  if (hint.ok && parseOperation(hint.value.envelope.metadata)?.statusCode === 200) {
    return { state: 'ended', result: ok(hint.value.envelope.metadata) }
  }
  return look(io, watched, hint.ok ? undefined : hint.error)
}

/** Reads the operation; `hint` is the error of the `/wait` before, only for the message. */
export async function look(
  io: Io,
  watched: Watched,
  hint?: CallError,
  timeout = CALL_TIMEOUT,
): Promise<Verdict> {
  const wanted = request('getOperation', { operation: watched.operation })
  const seen = await call(io.upstream, watched.remote, wanted, timeout)
  if (!seen.ok) {
    return seen.error.status === 404
      ? { state: 'ended', result: err(vanished(watched, hint)) }
      : { state: 'silent', error: seen.error }
  }
  const operation = parseOperation(seen.value.envelope.metadata)
  if (operation === null)
    return { state: 'silent', error: { code: 'bad-reply', message: 'no operation in it' } }
  const { metadata } = seen.value.envelope
  if (operation.statusCode < 200) return { state: 'living', operation, metadata }
  return {
    state: 'ended',
    result: operation.statusCode === 200 ? ok(metadata) : err(failed(operation)),
  }
}

export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms, resolve)
  })

const failed = ({ err: message, statusCode }: Operation): CallError => ({
  code: 'incus',
  message:
    message !== '' ? message : statusCode === 401 ? 'the operation was cancelled' : 'failed without a text',
})

const vanished = ({ remote, operation }: Watched, hint?: CallError): CallError => ({
  code: 'vanished',
  message:
    `operation ${operation} is gone from "${remote}": it has ended or the server restarted; its outcome is unknown` +
    (hint?.code === 'incus' && hint.status !== 404 ? ` (last heard: ${hint.message})` : ''),
})

const stillRunning = ({ remote, operation }: Watched, limit: number): CallError => ({
  code: 'running',
  message: `operation ${operation} on "${remote}" is still running after ${Math.round(limit / SECOND)} s`,
})

const lost = ({ remote, operation }: Watched, cause: CallError): CallError => ({
  code: 'timeout',
  message: `operation ${operation} was started on "${remote}", then the server stopped answering: ${cause.message}`,
})
