/** Request bodies: bounded, JSON with comments, checked against a schema. */
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as z from 'zod/mini'
import { describeMisread, parseJsonc } from '../../shared/jsonc.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { misfit, WORDLESS } from './misfit.ts'
import { answerProblem, type Problem } from './problem.ts'

/** A longer body is refused before it is read. */
export const limitBody = (bytes: number) =>
  bodyLimit({
    maxSize: bytes,
    onError: (context) =>
      answerProblem(context, {
        status: 413,
        title: 'Too large',
        detail: `at most ${bytes} bytes are taken`,
      }),
  })

/** An empty body is an empty object. */
export async function readJson(context: Context): Promise<Result<unknown, Problem>> {
  const text = await context.req.text()
  if (text.trim() === '') return ok({})
  const parsed = parseJsonc(text)
  if (parsed.ok) return parsed
  const detail = `${describeMisread(parsed.error)}; JSON is expected (comments and trailing commas are fine)`
  return err({ status: 400, title: 'Not JSON', detail })
}

export async function readBody<Schema extends z.ZodMiniType>(
  context: Context,
  schema: Schema,
): Promise<Result<z.output<Schema>, Problem>> {
  const json = await readJson(context)
  if (!json.ok) return json
  const parsed = schema.safeParse(json.value, WORDLESS)
  if (parsed.success) return ok(parsed.data)
  const known = schema instanceof z.ZodMiniObject ? Object.keys(schema.shape) : []
  const errors = parsed.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    message: misfit(issue, known),
  }))
  const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
  return err({ status: 422, title: 'Not as expected', detail, errors })
}
