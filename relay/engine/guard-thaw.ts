/**
 * Before an instance is thawed the relay checks again that it is frozen, and that no operation runs on it which
 * may have frozen it.
 */
import type { Match } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { ok, type Result } from '../../shared/result.ts'
import { isObject, text } from './envelope.ts'
import { operationOn } from './guard-operation.ts'
import type { Upstream } from './upstream.ts'

/** `start` isn't guarded. */
export const isThaw = (body: unknown): boolean => isObject(body) && body.action === 'unfreeze'

/** Null: it may be thawed. */
export async function againstThaw(
  upstream: Upstream,
  remote: string,
  match: Match,
  instance: unknown,
): Promise<Result<string | null, CallError>> {
  const status = isObject(instance) ? text(instance.status) : ''
  if (status !== 'Frozen') return ok(`it is ${status === '' ? 'of unknown status' : status}`)
  const busy = await operationOn(upstream, remote, match)
  if (!busy.ok) return busy
  return ok(busy.value === null ? null : `an operation runs on it: ${busy.value}`)
}
