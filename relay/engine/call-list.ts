/** Runs requests to Incus in their order, up to the first failure: what a step of a job comes to. */
import type { Clock } from '../../shared/clock.ts'
import { classify } from '../../shared/incus/refusal.ts'
import { type IncusRequest, matchRoute, request } from '../../shared/incus/routes.ts'
import { expiresAtOf } from '../../shared/incus/source.ts'
import { own } from '../../shared/own.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { allowBody, allowRoute } from './allow.ts'
import { beginBridging } from './bridging.ts'
import { type Answer, badReply, brokenBy, CALL_TIMEOUT, call } from './call.ts'
import type { Call } from './calls.ts'
import { CANCELLED } from './cancels.ts'
import type { Certificates } from './certificates.ts'
import { isObject, parseOperation, text } from './envelope.ts'
import { guard } from './guard.ts'
import type { Hooks } from './hooks.ts'
import type { Journal } from './journal.ts'
import type { Verdict } from './limiter.ts'
import { awaitOperation, type Timeouts, type Watched } from './operation.ts'
import { badRequest, type Known, resolveReferences } from './references.ts'
import type { Seal } from './seal.ts'
import type { Sightings } from './sightings.ts'
import { forgetsDescription } from './subject-requests.ts'
import type { Suspects } from './suspects.ts'
import type { UnseenCreates } from './unseen-creates.ts'
import type { EngineRemote, Upstream } from './upstream.ts'

export type Remotes = Record<string, EngineRemote>

export type CallIo = {
  upstream: Upstream
  clock: Clock
  remotes: Remotes
  certificates: Certificates
  suspects: Suspects
  unseen: UnseenCreates
  journal: Journal
  sightings: Pick<Sightings, 'serverOf'>
  seal: Seal
  hooks: Hooks
  /** Delays a call until the remote's limit allows it. */
  admit(call: Call, urgent: boolean, work: () => Promise<CallResult>): Promise<CallResult>
  timeouts: Omit<Timeouts, 'limit'>
}

/** Gets the operations that a job begins, the one that it waits for, and its progress. */
export type Watcher = {
  waits(watched: Watched): void
  progress(text: string): void
  begun?(watched: Watched): void
  /** The job goes no further: it begins no further request. */
  isCancelled?(): boolean
  /** Resolves when that is so. */
  cancelled?: Promise<void>
}

/** `body` is the reply's envelope, its metadata the ended operation if that was waited for. */
type Done = {
  remote: string
  body: unknown
  operation: string | null
  /** Of the member that answered. */
  address?: string | undefined
}
type CallResult = Result<Done, CallError>

export const silent: Watcher = { waits: () => {}, progress: () => {} }

/** `urgent`: the job has begun, so what is left of it goes first. */
export async function runCalls(
  calls: readonly Call[],
  io: CallIo,
  { watcher = silent, urgent = false }: { watcher?: Watcher; urgent?: boolean } = {},
): Promise<Result<Done[], CallError>> {
  const done: Done[] = []
  for (const one of calls) {
    if (watcher.isCancelled?.() === true) {
      await cancelWhatWaits(calls, done, CANCELLED, io)
      return err(CANCELLED)
    }
    const result = await io
      .admit(one, urgent || done.length > 0, () => runCall(one, done, io, watcher))
      .catch((cause: unknown) => err(brokenBy(cause)))
    if (!result.ok) {
      io.suspects.note(calls, result.error)
      io.unseen.failed(one, result.error)
      if (one.optional !== true) {
        await cancelWhatWaits(calls, done, result.error, io)
        return result
      }
    } else io.unseen.done(one)
    done.push(result.ok ? result.value : { remote: one.remote, body: null, operation: null })
  }
  return ok(done)
}

export const judgeCall = (result: CallResult): Verdict =>
  result.ok ? 'done' : result.error.code === 'timeout' ? 'overwhelmed' : 'failed'

export const unknownRemote = (name: string, remotes: Remotes): CallError => ({
  code: 'unknown-remote',
  message: `the relay has no remote "${name}"; it has ${Object.keys(remotes).join(', ')}`,
})

async function runCall(one: Call, done: Done[], io: CallIo, watcher: Watcher): Promise<CallResult> {
  const prepared = await prepare(one, done, io)
  if (!prepared.ok) return prepared
  const nothing: CallResult = ok({ remote: one.remote, body: null, operation: null })
  const wanted = await whileUnchanged(one, prepared.value, io)
  if (!wanted.ok) return isTolerated(one, wanted.error) ? nothing : wanted
  if (wanted.value === null) return nothing
  const limit = one.blocks === undefined ? CALL_TIMEOUT : one.blocks * 1000
  const answer = await call(io.upstream, one.remote, wanted.value, limit)
  if (!answer.ok) {
    const isChanged = one.ifExpiresAt !== undefined && answer.error.status === 412
    return isChanged || isTolerated(one, answer.error) ? nothing : answer
  }
  const { envelope, body, address } = answer.value
  const operation = envelope.type === 'async' ? parseOperation(envelope.metadata) : null
  if (envelope.type === 'async' && operation === null)
    return err(badReply(one.remote, answer.value.status, 'it names no operation'))
  if (operation !== null) watcher.begun?.({ remote: one.remote, operation: operation.id })
  if (operation === null || one.wait === undefined) {
    return ok({ remote: one.remote, body, operation: operation?.id ?? null, address })
  }
  const own = { remote: one.remote, operation: operation.id }
  const sender = one.joins === undefined ? undefined : done.at(one.joins)
  if (sender !== undefined) return awaitBridged(one, own, answer.value, sender, { io, watcher })
  const other = otherOf(one, done)
  if (other === null) return awaitCall(one, own, answer.value, io, watcher)
  // The receiving side's operation decides, and is the one to adopt after a restart.
  const [received, sent] = await Promise.all([
    awaitCall(one, other, answer.value, io, watcher),
    awaitCall(one, own, answer.value, io, silent),
  ])
  return sent.ok ? (received.ok ? sent : received) : moreTelling(sent, received)
}

/**
 * The request with the ETag that stands for the expected expiry, and with the description that Incus would forget;
 * null: somebody has set another expiry.
 */
async function whileUnchanged(
  { remote, path, ifExpiresAt }: Call,
  wanted: IncusRequest,
  { upstream }: CallIo,
): Promise<Result<IncusRequest | null, CallError>> {
  const match = matchRoute(wanted.method, path)
  const describes = isObject(wanted.body) && wanted.body.description !== undefined
  const repeats = match !== null && forgetsDescription(match) && !describes
  if (ifExpiresAt === undefined && !repeats) return ok(wanted)
  const one = await call(upstream, remote, { method: 'GET', path })
  if (!one.ok) return one
  const { metadata } = one.value.envelope
  const { expires_at, description } = isObject(metadata) ? metadata : {}
  const present = expiresAtOf(text(expires_at))
  if (ifExpiresAt !== undefined && present?.getTime() !== expiresAtOf(ifExpiresAt)?.getTime()) return ok(null)
  const body =
    repeats && isObject(wanted.body) ? { ...wanted.body, description: text(description) } : wanted.body
  const whole = body === undefined ? wanted : { ...wanted, body }
  return ok(
    ifExpiresAt === undefined || one.value.etag === undefined ? whole : { ...whole, ifMatch: one.value.etag },
  )
}

/** The relay stands between the two. What went wrong there is told, unless Incus's own outcome isn't known. */
async function awaitBridged(
  one: Call,
  own: Watched,
  answer: Answer,
  sender: Done,
  { io, watcher }: { io: CallIo; watcher: Watcher },
): Promise<CallResult> {
  const { remote, operation } = sender
  if (operation === null) return err(badRequest('there is no migration to join'))
  const bridging = beginBridging({ source: sender, target: { ...own, body: answer.body } }, io, watcher)
  const [received, sent] = await Promise.all([
    awaitCall(one, own, answer, io, { ...watcher, progress: () => {} }),
    awaitCall(one, { remote, operation }, answer, io, silent),
  ])
  const broken = await bridging.end(received, sent)
  if (received.ok) return sent.ok ? received : sent
  return broken !== null && received.error.code === 'incus' ? err(broken) : moreTelling(received, sent)
}

/** When a transfer fails, one side often only says that the connection closed. */
const moreTelling = (first: CallResult, second: CallResult): CallResult =>
  !first.ok && !second.ok && classify(first.error) === 'other' && classify(second.error) !== 'other'
    ? second
    : first

function otherOf({ alsoWaitFor }: Call, done: Done[]): Watched | null {
  const { remote, operation } = (alsoWaitFor === undefined ? undefined : done[alsoWaitFor]) ?? {}
  return remote === undefined || operation == null ? null : { remote, operation }
}

async function awaitCall(
  one: Call,
  watched: Watched,
  { body }: Answer,
  io: CallIo,
  watcher: Watcher,
): Promise<CallResult> {
  watcher.waits(watched)
  const timeouts = { ...io.timeouts, limit: (one.wait ?? 0) * 1000 }
  const ended = await awaitOperation(io, watched, timeouts, watcher.progress)
  if (!ended.ok && isRemoved(one, ended.error)) {
    io.suspects.note([one], ended.error)
    return ok({ ...watched, body: null })
  }
  if (!ended.ok) return ended
  const whole = isObject(body) ? { ...body, metadata: ended.value } : body
  return ok({ ...watched, body: whole })
}

/**
 * Where the lists of an instance's snapshots disagree, Incus performs a deletion and reports a failure
 * (6.0.4, 7.0.2).
 */
const isRemoved = ({ method, path }: Call, error: CallError): boolean =>
  classify(error) === 'uneven' && matchRoute(method, path)?.name === 'deleteSnapshot'

async function prepare(one: Call, done: Done[], io: CallIo): Promise<Result<IncusRequest, CallError>> {
  const route = allowRoute(one.method, one.path)
  if (!route.ok) return route
  const { method, path } = one
  const body = await resolveReferences(one.body, knownTo(done, io))
  if (!body.ok) return body
  const allowed = allowBody(route.value, body.value)
  if (!allowed.ok) return allowed
  const { journal, sightings, seal, hooks } = io
  const seen = { journal, serverOf: sightings.serverOf, seal, hooks, now: io.clock.now() }
  const guarded = await guard(io.upstream, one.remote, route.value, body.value, seen)
  if (!guarded.ok) return guarded
  return ok({
    ...{ method, path },
    ...(body.value === undefined ? {} : { body: body.value }),
    ...(one.ifMatch === undefined ? {} : { ifMatch: one.ifMatch }),
  })
}

const knownTo = (done: Done[], io: CallIo): Known => ({
  reply: (step) => {
    const found = done[step]
    return found === undefined ? err(noStep(step)) : ok(found.body)
  },
  operationUrl: (step) => {
    const { remote, operation, address = own(io.remotes, remote ?? '')?.address } = done[step] ?? {}
    if (remote === undefined) return err(noStep(step))
    return operation == null || address === undefined
      ? err(badRequest(`step ${step} made no operation`))
      : ok(`${address}/1.0/operations/${operation}`)
  },
  certificate: async (remote) =>
    Object.hasOwn(io.remotes, remote) ? io.certificates(remote) : err(unknownRemote(remote, io.remotes)),
})

const noStep = (step: number): CallError => badRequest(`step ${step} is not before this one`)

const isTolerated = (one: Call, error: CallError): boolean =>
  error.code === 'incus' && error.status !== undefined && (one.tolerate?.includes(error.status) ?? false)

/** Best effort: an operation that can't be cancelled ends by itself. One that still sends data is left alone. */
async function cancelWhatWaits(
  calls: readonly Call[],
  done: Done[],
  error: CallError,
  io: CallIo,
): Promise<void> {
  if (error.code === 'running') return
  for (const [at, { remote, operation }] of done.entries()) {
    if (calls[at]?.cancelOnFailure !== true || operation === null) continue
    await call(io.upstream, remote, request('cancelOperation', { operation }))
  }
}
