/** Turns the API's body into a request to the engine. */
import type * as z from 'zod/mini'
import { ok, type Result } from '../../shared/result.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { REQUESTABLE, requestable } from '../../shared/work/verbs.ts'
import { misread, type Problem } from './problem.ts'
import { REASON, readLine } from './read-line.ts'
import type { runBody } from './requests.ts'

type Body = z.output<typeof runBody>

const UNNAMED = REQUESTABLE.find((what) => requestable(what)?.unnamed === true)

/** Null: a run by schedule. `shown`: nothing of it is done, so a line may also ask what the next tick would do. */
export function requestOf(
  body: Body,
  { shown = false }: { shown?: boolean } = {},
): Result<BackupRequest | null, Problem> {
  const { line, key, confirm: _, ...rest } = body
  if (line === undefined) return fieldsOf(body)
  const others = Object.keys(rest)
  return others.length === 0
    ? readLine(line, key, shown)
    : misread(`${others.join(', ')}: what "line" does is in the line, so nothing else says so`)
}

function fieldsOf(body: Body): Result<BackupRequest | null, Problem> {
  const { policies, instances } = body
  const wanted = body.do ?? (policies === undefined && instances === undefined ? undefined : UNNAMED)
  if (wanted === undefined) return ok(null)
  const read = requestable(wanted)?.read(body, REASON)
  if (read?.ok === true) return ok(read.value as BackupRequest)
  return misread(read?.error ?? `"${wanted}" is not a known request`)
}
