/** The bodies of the relay's own calls, parsed and checked. */
import { z } from 'zod'
import type { ExamRequest } from '../shared/relay/exam.ts'
import {
  type BatchRequest,
  type CallError,
  type FilesRequest,
  type GlanceRequest,
  type InventoryRequest,
  LONGEST_NAME,
  LONGEST_RECORD,
  MOST_FILES,
} from '../shared/relay/protocol.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { badRequest } from './engine/references.ts'
import { filePath, ref, snapshot, stepSchema } from './step-schema.ts'

const MAX_JOBS = 10_000
/** A first copy verifies all its snapshots in one job. */
const MAX_STEPS = 20_000
/** The Worker never sleeps longer. */
const HOUR = 3_600_000

/** Half of a surrogate pair can't be written into a path. */
const name = z
  .string()
  .min(1)
  .max(LONGEST_NAME)
  .regex(/^\P{Cs}*$/u, 'expected well-formed text')

const job = z.strictObject({
  id: name,
  lock: name.exactOptional(),
  after: name.exactOptional(),
  family: name.exactOptional(),
  detach: z.boolean().exactOptional(),
  memo: z.unknown().exactOptional(),
  steps: z.array(stepSchema).min(1).max(MAX_STEPS),
})

const batch: z.ZodType<BatchRequest> = z.strictObject({
  jobs: z
    .array(job)
    .max(MAX_JOBS)
    .refine((jobs) => new Set(jobs.map(({ id }) => id)).size === jobs.length, 'every id must be unique'),
  record: z.string().min(1).max(LONGEST_RECORD).exactOptional(),
  run: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .exactOptional(),
})

const again = z.number().int().min(0).max(HOUR).exactOptional()

const glance: z.ZodType<GlanceRequest> = z.strictObject({ remotes: z.array(name).max(100), again })

const inventory: z.ZodType<InventoryRequest> = z.strictObject({
  again,
  remotes: z.array(name).max(100),
  config: z.array(name.startsWith('user.')).max(MAX_JOBS).exactOptional(),
  volumes: z.literal(true).exactOptional(),
  buckets: z.literal(true).exactOptional(),
  adopt: z
    .array(
      z.strictObject({
        id: name,
        remote: name,
        operation: name,
        lock: name.exactOptional(),
        family: name.exactOptional(),
        memo: z.unknown().exactOptional(),
      }),
    )
    .max(MAX_JOBS)
    .exactOptional(),
  within: z.number().int().min(0).max(600_000).exactOptional(),
})

const files: z.ZodType<FilesRequest> = z.strictObject({
  do: z.enum(['list', 'get']),
  ref,
  snapshot,
  path: filePath,
  skip: z.number().int().min(0).exactOptional(),
  limit: z.number().int().min(1).max(MOST_FILES).exactOptional(),
  within: z.number().int().min(0).max(600_000).exactOptional(),
  record: z.string().min(1).max(LONGEST_RECORD).exactOptional(),
})

/** Pools and projects of each, and ways: each is a few calls to Incus. */
const MOST_EXAMINED = 50

const exam: z.ZodType<ExamRequest> = z.strictObject({
  remotes: z
    .record(
      name,
      z.strictObject({
        pools: z.array(name).max(MOST_EXAMINED),
        projects: z.array(name).max(MOST_EXAMINED),
      }),
    )
    .refine((remotes) => Object.keys(remotes).length <= 100, 'too many remotes'),
  ways: z.array(z.strictObject({ from: ref, snapshot, to: name })).max(MOST_EXAMINED),
})

export const parseExam = (body: Buffer): Result<ExamRequest, CallError> => parse(exam, body)
export const parseGlance = (body: Buffer): Result<GlanceRequest, CallError> => parse(glance, body)
export const parseBatch = (body: Buffer): Result<BatchRequest, CallError> => parse(batch, body)
export const parseInventory = (body: Buffer): Result<InventoryRequest, CallError> => parse(inventory, body)
export const parseFiles = (body: Buffer): Result<FilesRequest, CallError> => parse(files, body)

function parse<T>(schema: z.ZodType<T>, body: Buffer): Result<T, CallError> {
  const json = parseJson(body)
  if (!json.ok) return json
  const parsed = schema.safeParse(json.value)
  if (parsed.success) return ok(parsed.data)
  const [issue] = parsed.error.issues
  return err(badRequest(`${issue?.path.join('.') || 'body'}: ${issue?.message}`))
}

function parseJson(body: Buffer): Result<unknown, CallError> {
  try {
    return ok(JSON.parse(body.toString()))
  } catch {
    return err(badRequest('the body is not JSON'))
  }
}
