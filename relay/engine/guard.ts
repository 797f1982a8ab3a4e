/**
 * Deleting is what could lose everything, so the relay looks first, whoever asks: of instances it
 * deletes only copies that stapes made and that hold nothing verified, of snapshots only those that
 * stapes named, or that came to a copy.
 */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { type Match, request } from '../../shared/incus/routes.ts'
import { parseSnapshotName } from '../../shared/incus/snapshot-name.ts'
import { commonPairs, parseVerified } from '../../shared/plan/marks.ts'
import { REPLICA_OF, VERIFIED } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { call } from './call.ts'
import { isObject, text } from './envelope.ts'
import type { Upstream } from './upstream.ts'

export async function guardDelete(
  upstream: Upstream,
  remote: string,
  { name, parameters, query }: Match,
): Promise<Result<null, CallError>> {
  const stranger = name === 'deleteSnapshot' && parseSnapshotName(parameters.snapshot ?? '') === null
  if (name !== 'deleteInstance' && !stranger) return ok(null)
  const one = await call(upstream, remote, request('getInstance', only(parameters), query))
  if (!one.ok) return one.error.status === 404 ? ok(null) : one
  const instance = one.value.envelope.metadata
  const config = isObject(instance) && isObject(instance.config) ? instance.config : {}
  if (text(config[REPLICA_OF]) === '') return err(refused(remote, parameters, 'it is not of stapes’ making'))
  return stranger ? ok(null) : guardVerified(upstream, remote, { parameters, query }, text(config[VERIFIED]))
}

async function guardVerified(
  upstream: Upstream,
  remote: string,
  { parameters, query }: Pick<Match, 'parameters' | 'query'>,
  marks: string,
): Promise<Result<null, CallError>> {
  const list = await call(
    upstream,
    remote,
    request('listSnapshots', parameters, { ...query, recursion: '1' }),
  )
  if (!list.ok) return list
  const { metadata } = list.value.envelope
  const listed = (Array.isArray(metadata) ? metadata : []).flatMap(pairOf)
  const [verified] = commonPairs(parseVerified(marks), listed)
  if (verified === undefined) return ok(null)
  return err(refused(remote, parameters, `its snapshot ${verified[0]} is a verified copy`))
}

const only = ({ instance = '' }: Record<string, string>) => ({ instance })

const pairOf = (one: unknown): SnapshotPair[] =>
  isObject(one) ? [[text(one.name), Math.floor(Date.parse(text(one.created_at)) / 1000)]] : []

const refused = (remote: string, { instance, snapshot }: Record<string, string>, why: string): CallError => ({
  code: 'not-allowed',
  message: `the relay does not delete ${snapshot === undefined ? instance : `${snapshot} of ${instance}`} on "${remote}": ${why}`,
})
