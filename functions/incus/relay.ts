/** The Worker's client of the relay: signed calls that return errors as values. */

import type { RelayFacts } from '../../shared/doctor/examined.ts'
import type { ExamReply, ExamRequest } from '../../shared/relay/exam.ts'
import { type PackedReply, unpackReply } from '../../shared/relay/packing.ts'
import type {
  BatchLine,
  CallError,
  GlanceReply,
  GlanceRequest,
  InventoryReply,
  InventoryRequest,
  Job,
  StepReport,
} from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { fitJobs } from './fit-jobs.ts'
import { brokenOff, createPost, type PostOptions } from './post.ts'

export type JobAnswer = 'accepted' | StepReport[]

export type Relay = {
  /** Whether the remotes answer, and list what they listed before: it asks them for little. */
  glance(request: GlanceRequest): Promise<Result<GlanceReply, CallError>>
  inventory(request: InventoryRequest): Promise<Result<InventoryReply, CallError>>
  /** For the doctor; absent: it can’t. */
  examine?(request: ExamRequest): Promise<Result<RelayFacts, CallError>>
  /** `record`: the relay logs it before it begins. */
  batch(jobs: readonly Job[], record?: string, options?: BatchOptions): Promise<Batched>
}

/** Answers by job id. The outcome of a job without an answer is unknown. */
export type Batched = { answers: ReadonlyMap<string, JobAnswer>; error: CallError | null }

type BatchOptions = {
  /** Milliseconds; absent: nearly as long as an invocation lives. */
  limit?: number
  /** Called once with the answers so far, if the batch takes long. */
  onLate?(answers: ReadonlyMap<string, JobAnswer>): void
}

type RelayOptions = PostOptions & {
  /** Id of the run, for the relay's log. */
  run?: string
}

/** A cron invocation lives for 15 minutes; the next tick observes what wasn't answered by then. */
const BATCH_LIMIT = 13 * 60_000
const INVENTORY_LIMIT = 120_000
const GLANCE_LIMIT = 30_000
const EXAM_LIMIT = 60_000
/** Of a caller's time, where that is short: chat has 20 s. */
const SHARE = 0.6
/** After so long what is known so far is written, because the invocation may not live to the batch's end. */
const LATE = 20_000

export function createRelay({ run, ...options }: RelayOptions): Relay {
  const { now } = options
  const { post, knock, timeoutFor } = createPost(options)
  const sendJobs = async (
    body: string,
    limit: number,
    answers: Map<string, JobAnswer>,
  ): Promise<CallError | null> => {
    const response = await post('/v1/batch', body, limit)
    if (!response.ok) return response.error
    return readLines(response.value, (line) => {
      if ('job' in line) answers.set(line.job, 'accepted' in line ? 'accepted' : line.steps)
    })
  }
  const read = async <T>(path: string, body: object, limit: number): Promise<Result<T, CallError>> => {
    const response = await post(path, JSON.stringify(body), limit)
    if (!response.ok) return response
    try {
      return ok((await response.value.json()) as T)
    } catch (cause) {
      return err(brokenOff(cause))
    }
  }
  return {
    glance: (request) => read<GlanceReply>('/v1/glance', request, GLANCE_LIMIT),
    async inventory(request) {
      const left = timeoutFor(INVENTORY_LIMIT)
      // A remote that is slow must not take the time of what is done with the others.
      const within = left < INVENTORY_LIMIT ? { within: Math.floor(left * SHARE) } : {}
      const packed = await read<PackedReply>('/v1/inventory', { ...request, ...within }, INVENTORY_LIMIT)
      if (!packed.ok) return packed
      try {
        return ok(unpackReply(packed.value))
      } catch (cause) {
        return err(brokenOff(cause))
      }
    },
    async examine(request) {
      const sentAt = now().getTime()
      const reply = await read<ExamReply>('/v1/examine', request, EXAM_LIMIT)
      if (!reply.ok) return reply
      const { at } = reply.value
      const off = at > now().getTime() ? at - now().getTime() : Math.min(0, at - sentAt)
      // Nothing comes of it, should it be answered.
      const isShut = await knock('/v1/glance', JSON.stringify({ remotes: [] }), GLANCE_LIMIT)
      return ok({ ...reply.value, skew: Math.round(off / 1000), isShut })
    },
    async batch(jobs, record, { limit = BATCH_LIMIT, onLate } = {}) {
      const answers = new Map<string, JobAnswer>()
      const late = onLate === undefined ? null : setTimeout(() => onLate(answers), LATE)
      const { bodies, unfit } = fitJobs(jobs, {
        ...(record === undefined ? {} : { record }),
        ...(run === undefined ? {} : { run }),
      })
      for (const [id, error] of unfit) answers.set(id, [{ ok: false, error }])
      const errors = await Promise.all(bodies.map((body) => sendJobs(body, limit, answers)))
      if (late !== null) clearTimeout(late)
      return { answers, error: gravest(errors) }
    },
  }
}

/** If one of several calls may have arrived, what has no answer is unknown. */
const gravest = (errors: readonly (CallError | null)[]): CallError | null =>
  errors.find((error) => error?.code === 'timeout') ?? errors.find((error) => error !== null) ?? null

/** Reads the lines that arrived, also when the stream breaks off. */
async function readLines(response: Response, take: (line: BatchLine) => void): Promise<CallError | null> {
  const decoder = new TextDecoder()
  let rest = ''
  let ended = false
  const eat = (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const parsed = JSON.parse(line) as BatchLine
      ended ||= 'done' in parsed
      take(parsed)
    }
  }
  try {
    const body: ReadableStream<Uint8Array> | null = response.body
    if (body !== null) for await (const chunk of body) eat(decoder.decode(chunk, { stream: true }))
  } catch (cause) {
    return brokenOff(cause)
  }
  return ended ? null : { code: 'timeout', message: 'the relay’s answer was incomplete' }
}
