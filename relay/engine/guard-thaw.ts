/**
 * Before an instance is thawed the relay looks once more: what is not frozen needs none, and what works on
 * it now has frozen it for itself.
 */
import { type Match, request } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { isObject, text } from './envelope.ts'
import { parseOperations } from './parse-operations.ts'
import type { Upstream } from './upstream.ts'

/** Null: nothing speaks against it. */
export async function againstThaw(
  upstream: Upstream,
  remote: string,
  { parameters, query }: Match,
  instance: unknown,
): Promise<Result<string | null, CallError>> {
  const status = isObject(instance) ? text(instance.status) : ''
  if (status !== 'Frozen') return ok(`it is ${status === '' ? 'of no known status' : status}`)
  const wanted = request('listOperations', {}, { ...query, recursion: '1' })
  const listed = await call(upstream, remote, wanted)
  if (!listed.ok) return listed
  const operations = parseOperations(listed.value.envelope.metadata)
  if (operations === null)
    return err(badReply(remote, listed.value.status, 'its operations have another form than expected'))
  const busy = operations.find(({ instances }) => instances.includes(parameters.instance ?? ''))
  return ok(busy === undefined ? null : `an operation runs on it: ${busy.description}`)
}
