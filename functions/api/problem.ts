/** Errors of the HTTP API as problem+json (RFC 9457). */
import type { Context } from 'hono'
import { err, type Result } from '../../shared/result.ts'

export type Problem = {
  status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 500 | 502 | 503
  title: string
  /** What is wrong, and what to do. */
  detail: string
  errors?: { path: string; message: string }[]
}

/** Of a body that says what can't be done. */
export const misread = (detail: string): Result<never, Problem> =>
  err({ status: 422, title: 'Not as expected', detail })

export function answerProblem(context: Context, { status, title, detail, errors }: Problem): Response {
  const body = { type: 'about:blank', title, status, detail, ...(errors === undefined ? {} : { errors }) }
  return context.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' })
}
