/** What runs on an instance just now. */
import { type Match, request } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { parseOperations } from './parse-operations.ts'
import type { Upstream } from './upstream.ts'

/** In Incus's words, or null. */
export async function operationOn(
  upstream: Upstream,
  remote: string,
  { parameters, query }: Match,
): Promise<Result<string | null, CallError>> {
  const project = query.project ?? 'default'
  const list = await call(upstream, remote, request('listOperations', {}, { recursion: '1', project }))
  if (!list.ok) return list
  const operations = parseOperations(list.value.envelope.metadata)
  if (operations === null)
    return err(badReply(remote, list.value.status, 'its operations have another form than expected'))
  const mine = operations.find((one) => one.instances.includes(parameters.instance ?? ''))
  return ok(mine?.description ?? null)
}
