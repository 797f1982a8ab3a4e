/** Reasons not to delete a copy, or not to change its transfer mark. */
import type { Match } from '../../shared/incus/routes.ts'
import { parseInstallation, refuseOwner } from '../../shared/plan/installation.ts'
import { COPYING, OWNER, REPLICA_OF, VERIFIED } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { ok, type Result } from '../../shared/result.ts'
import { parseVerified } from '../../shared/work/copy/marks.ts'
import { parseTransfer } from '../../shared/work/copy/transfer.ts'
import { isObject, text } from './envelope.ts'
import { operationOn } from './guard-operation.ts'
import type { Upstream } from './upstream.ts'

/** `config`: the subject's own. `ofSnapshot`: only a snapshot of it is deleted. `remembered`: it was seen with a verified snapshot. */
export function againstDelete(
  config: Record<string, unknown>,
  ofSnapshot: boolean,
  remembered: boolean,
): string | null {
  if (text(config[REPLICA_OF]) === '') return 'stapes did not make it'
  if (ofSnapshot) return null
  const [verified] = parseVerified(text(config[VERIFIED]))
  if (verified !== undefined) return `its snapshot ${verified[0]} is a verified copy`
  if (remembered) return 'it had verified snapshots, although its mark no longer says so'
  return parseTransfer(text(config[COPYING]))?.from === 0 ? null : 'it may have been verified'
}

/** The owner that a change of transfer marks names; null: it changes no transfer mark. */
export function transferOwner(body: unknown): string | null {
  const config = isObject(body) && isObject(body.config) ? body.config : {}
  return Object.hasOwn(config, COPYING) ? text(config[OWNER]) : null
}

export async function againstTransfer(
  upstream: Upstream,
  remote: string,
  match: Match,
  config: Record<string, unknown>,
  body: unknown,
): Promise<Result<string | null, CallError>> {
  const owner = transferOwner(body) ?? ''
  const ours = parseInstallation(owner)
  const theirs = text(config[OWNER])
  if (theirs !== '' && (ours === null || refuseOwner(theirs, ours) !== null))
    return ok('another installation of stapes makes this copy')
  return againstRunning(upstream, remote, match)
}

export async function againstRunning(
  upstream: Upstream,
  remote: string,
  match: Match,
): Promise<Result<string | null, CallError>> {
  const running = await operationOn(upstream, remote, match)
  if (!running.ok) return running
  return ok(running.value === null ? null : `an operation runs on it: ${running.value}`)
}

/** Of a volume, as Incus shows it: an instance or a profile has it, or that can't be read. */
export const isAttached = ({ used_by: users }: Record<string, unknown>): boolean =>
  !Array.isArray(users) || users.length > 0
