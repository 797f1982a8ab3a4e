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

export const isPause = (body: unknown): boolean => isObject(body) && body.action === 'freeze'

/** `isOurs`: it has the relay's own mark. Null: it may stand still. */
export function againstPause(instance: unknown, isOurs: boolean): string | null {
  const status = isObject(instance) ? text(instance.status) : ''
  if (!isOurs) return 'it has no mark of this relay'
  return RUNS.includes(status) ? null : `it is ${status === '' ? 'of unknown status' : status}`
}

/** Ready: running, and the guest has reported that it is up. */
const RUNS = ['Running', 'Ready']

/** Null: it may be thawed. `isOurs`: it stands still by the relay, whatever operation runs on it. */
export async function againstThaw(
  upstream: Upstream,
  remote: string,
  match: Match,
  instance: unknown,
  isOurs = false,
): Promise<Result<string | null, CallError>> {
  const status = isObject(instance) ? text(instance.status) : ''
  if (status !== 'Frozen') return ok(`it is ${status === '' ? 'of unknown status' : status}`)
  // It stands still by the relay's own mark: its snapshots may take longer than it may.
  if (isOurs) return ok(null)
  const busy = await operationOn(upstream, remote, match)
  if (!busy.ok) return busy
  return ok(busy.value === null ? null : `an operation runs on it: ${busy.value}`)
}
