/** Errors of the HTTP API as problem+json (RFC 9457). */
import type { Context } from 'hono'

export type Problem = {
  status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 500 | 502 | 503
  title: string
  /** What is wrong, and what to do. */
  detail: string
  errors?: { path: string; message: string }[]
}

export function answerProblem(context: Context, { status, title, detail, errors }: Problem): Response {
  const body = { type: 'about:blank', title, status, detail, ...(errors === undefined ? {} : { errors }) }
  return context.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' })
}
