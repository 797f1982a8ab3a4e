/** Turns the API's body into a request to the engine. */
import type * as z from 'zod/mini'
import { err, ok, type Result } from '../../shared/result.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { REQUESTABLE, requestable } from '../../shared/work/verbs.ts'
import type { Problem } from './problem.ts'
import type { runBody } from './requests.ts'

type Body = z.output<typeof runBody>

const UNNAMED = REQUESTABLE.find((what) => requestable(what)?.unnamed === true)

const REASON = 'requested through the API'

/** Null: a run by schedule. */
export function requestOf(body: Body): Result<BackupRequest | null, Problem> {
  const { policies, instances } = body
  const wanted = body.do ?? (policies === undefined && instances === undefined ? undefined : UNNAMED)
  if (wanted === undefined) return ok(null)
  const read = requestable(wanted)?.read(body, REASON)
  if (read?.ok === true) return ok(read.value as BackupRequest)
  const detail = read?.error ?? `"${wanted}" is not a known request`
  return err({ status: 422, title: 'Not as expected', detail })
}
