/** Runs a job's steps in order, up to the first failure. */
import type { Clock } from '../../shared/clock.ts'
import { classify } from '../../shared/incus/refusal.ts'
import { type IncusRequest, matchRoute, request } from '../../shared/incus/routes.ts'
import type { CallError, Job, Step, StepReport } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { safeText } from '../../shared/safe-text.ts'
import { allowBody, allowRoute } from './allow.ts'
import { type Answer, badReply, call } from './call.ts'
import type { Certificates } from './certificates.ts'
import { isObject, parseOperation } from './envelope.ts'
import { guard } from './guard.ts'
import type { Verdict } from './limiter.ts'
import { awaitOperation, type Timeouts, type Watched } from './operation.ts'
import { badRequest, type Known, resolveReferences } from './references.ts'
import type { Suspects } from './suspects.ts'
import type { UnseenCreates } from './unseen-creates.ts'
import type { EngineRemote, Upstream } from './upstream.ts'
import type { VerifiedMemory } from './verified-memory.ts'

export type Remotes = Record<string, EngineRemote>

export type JobIo = {
  upstream: Upstream
  clock: Clock
  remotes: Remotes
  certificates: Certificates
  suspects: Suspects
  unseen: UnseenCreates
  verified: VerifiedMemory
  /** Delays a step until the remote's limit allows it. */
  admit(step: Step, urgent: boolean, work: () => Promise<StepResult>): Promise<StepResult>
  timeouts: Omit<Timeouts, 'limit'>
}

/** Gets the operation that a job waits for, and its progress. */
type Watcher = { waits(watched: Watched): void; progress(text: string): void }

/** `body` is the reply's envelope, its metadata the ended operation if that was waited for. */
type Done = {
  remote: string
  body: unknown
  operation: string | null
  /** Of the member that answered. */
  address?: string | undefined
}
type StepResult = Result<Done, CallError>

const silent: Watcher = { waits: () => {}, progress: () => {} }

/** A job that can't succeed is refused before its first step is sent. */
export function refuseJob(job: Job, remotes: Remotes): CallError | null {
  for (const [at, step] of job.steps.entries()) {
    if (!Object.hasOwn(remotes, step.remote)) return unknownRemote(step.remote, remotes)
    const route = allowRoute(step.method, step.path)
    if (!route.ok) return { ...route.error, message: `step ${at}: ${route.error.message}` }
  }
  return job.steps.length === 0 ? badRequest('a job needs at least one step') : null
}

export async function runJob(job: Job, io: JobIo, watcher: Watcher = silent): Promise<StepReport[]> {
  const done: Done[] = []
  const reports: StepReport[] = []
  for (const step of job.steps) {
    const result = await io
      .admit(step, done.length > 0, () => runStep(step, done, io, watcher))
      .catch((cause: unknown) => err(brokenBy(cause)))
    if (!result.ok) {
      io.suspects.note(job.steps, result.error)
      io.unseen.failed(step, result.error)
      await cancelWhatWaits(job, done, result.error, io)
      return [...reports, { ok: false, error: result.error }]
    }
    io.unseen.done(step)
    done.push(result.value)
    reports.push(reportOf(step, result.value))
  }
  return reports
}

/** Thrown where nothing should: it ends this job, and its effect is unknown. */
export const brokenBy = (cause: unknown): CallError => ({
  code: 'bad-reply',
  message: `the relay could not go on, and the effect is unknown: ${safeText(String(cause))}`,
})

export const judgeStep = (result: StepResult): Verdict =>
  result.ok ? 'done' : result.error.code === 'timeout' ? 'overwhelmed' : 'failed'

export const unknownRemote = (name: string, remotes: Remotes): CallError => ({
  code: 'unknown-remote',
  message: `the relay has no remote "${name}"; it has ${Object.keys(remotes).join(', ')}`,
})

async function runStep(step: Step, done: Done[], io: JobIo, watcher: Watcher): Promise<StepResult> {
  const prepared = await prepare(step, done, io)
  if (!prepared.ok) return prepared
  const answer = await call(io.upstream, step.remote, prepared.value)
  if (!answer.ok) {
    return isTolerated(step, answer.error) ? ok({ remote: step.remote, body: null, operation: null }) : answer
  }
  const { envelope, body, address } = answer.value
  const operation = envelope.type === 'async' ? parseOperation(envelope.metadata) : null
  if (envelope.type === 'async' && operation === null)
    return err(badReply(step.remote, answer.value.status, 'it names no operation'))
  if (operation === null || step.wait === undefined) {
    return ok({ remote: step.remote, body, operation: operation?.id ?? null, address })
  }
  const own = { remote: step.remote, operation: operation.id }
  const other = otherOf(step, done)
  if (other === null) return awaitStep(step, own, answer.value, io, watcher)
  // The receiving side's operation decides, and is the one to adopt after a restart.
  const [received, sent] = await Promise.all([
    awaitStep(step, other, answer.value, io, watcher),
    awaitStep(step, own, answer.value, io, silent),
  ])
  return sent.ok ? (received.ok ? sent : received) : moreTelling(sent, received)
}

/** When a transfer fails, one side often only says that the connection closed. */
const moreTelling = (first: StepResult, second: StepResult): StepResult =>
  !first.ok && !second.ok && classify(first.error) === 'other' && classify(second.error) !== 'other'
    ? second
    : first

function otherOf({ alsoWaitFor }: Step, done: Done[]): Watched | null {
  const { remote, operation } = (alsoWaitFor === undefined ? undefined : done[alsoWaitFor]) ?? {}
  return remote === undefined || operation == null ? null : { remote, operation }
}

async function awaitStep(
  step: Step,
  watched: Watched,
  { body }: Answer,
  io: JobIo,
  watcher: Watcher,
): Promise<StepResult> {
  watcher.waits(watched)
  const timeouts = { ...io.timeouts, limit: (step.wait ?? 0) * 1000 }
  const ended = await awaitOperation(io, watched, timeouts, watcher.progress)
  if (!ended.ok && isRemoved(step, ended.error)) {
    io.suspects.note([step], ended.error)
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
const isRemoved = ({ method, path }: Step, error: CallError): boolean =>
  classify(error) === 'uneven' && matchRoute(method, path)?.name === 'deleteSnapshot'

async function prepare(step: Step, done: Done[], io: JobIo): Promise<Result<IncusRequest, CallError>> {
  const route = allowRoute(step.method, step.path)
  if (!route.ok) return route
  const { method, path } = step
  const body = await resolveReferences(step.body, knownTo(done, io))
  if (!body.ok) return body
  const allowed = allowBody(route.value, body.value)
  if (!allowed.ok) return allowed
  const seen = { verified: io.verified, now: io.clock.now() }
  const guarded = await guard(io.upstream, step.remote, route.value, body.value, seen)
  if (!guarded.ok) return guarded
  return ok(body.value === undefined ? { method, path } : { method, path, body: body.value })
}

const knownTo = (done: Done[], io: JobIo): Known => ({
  reply: (step) => {
    const found = done[step]
    return found === undefined ? err(noStep(step)) : ok(found.body)
  },
  operationUrl: (step) => {
    const { remote, operation, address = io.remotes[remote ?? '']?.address } = done[step] ?? {}
    if (remote === undefined) return err(noStep(step))
    return operation == null || address === undefined
      ? err(badRequest(`step ${step} made no operation`))
      : ok(`${address}/1.0/operations/${operation}`)
  },
  certificate: async (remote) =>
    Object.hasOwn(io.remotes, remote) ? io.certificates(remote) : err(unknownRemote(remote, io.remotes)),
})

const noStep = (step: number): CallError => badRequest(`step ${step} is not before this one`)

const isTolerated = (step: Step, error: CallError): boolean =>
  error.code === 'incus' && error.status !== undefined && (step.tolerate?.includes(error.status) ?? false)

const reportOf = (step: Step, { body }: Done): StepReport =>
  step.reply === true && isObject(body) ? { ok: true, metadata: body.metadata } : { ok: true }

/** Best effort: an operation that can't be cancelled ends by itself. One that still sends data is left alone. */
async function cancelWhatWaits(job: Job, done: Done[], error: CallError, io: JobIo): Promise<void> {
  if (error.code === 'running') return
  for (const [at, { remote, operation }] of done.entries()) {
    if (job.steps[at]?.cancelOnFailure !== true || operation === null) continue
    await call(io.upstream, remote, request('cancelOperation', { operation }))
  }
}
