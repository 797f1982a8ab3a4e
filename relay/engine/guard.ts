/**
 * Deleting and restoring are what could lose everything, so the relay looks first, whoever asks: of
 * instances it deletes only copies that stapes made and that hold nothing verified, of snapshots only
 * those that stapes named, or that came to a copy; and it restores only what is marked for it, with a
 * snapshot beside it that brings the state before back. It thaws only what is frozen while nothing runs on it.
 */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { type Match, request } from '../../shared/incus/routes.ts'
import { parseSnapshotName, SAFETY } from '../../shared/incus/snapshot-name.ts'
import { commonPairs, parseVerified } from '../../shared/plan/marks.ts'
import { parseRestoring } from '../../shared/plan/restoring.ts'
import { REPLICA_OF, RESTORING, VERIFIED } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { isObject, text } from './envelope.ts'
import { againstThaw } from './guard-thaw.ts'
import { parseSnapshots } from './parse-volumes.ts'
import type { Upstream } from './upstream.ts'

/** Whether the relay has to look before it makes such a call. */
export const isGuarded = ({ name, parameters }: Match): boolean =>
  name === 'deleteInstance' ||
  name === 'restoreInstance' ||
  name === 'startInstance' ||
  (name === 'deleteSnapshot' && parseSnapshotName(parameters.snapshot ?? '') === null)

/** `body` is one that the route accepts. */
export async function guard(
  upstream: Upstream,
  remote: string,
  match: Match,
  body: unknown,
): Promise<Result<null, CallError>> {
  if (!isGuarded(match)) return ok(null)
  if (match.name === 'startInstance' && !isThaw(body)) return ok(null)
  const { name, parameters, query } = match
  const one = await call(upstream, remote, request('getInstance', only(parameters), query))
  if (!one.ok) return one.error.status === 404 ? ok(null) : one
  const instance = one.value.envelope.metadata
  if (!isObject(instance) || !isObject(instance.config))
    return err(badReply(remote, one.value.status, `the instance ${parameters.instance} has no config in it`))
  const { config } = instance
  const list = () => listPairs(upstream, remote, match)
  const why =
    name === 'startInstance'
      ? await againstThaw(upstream, remote, match, instance)
      : name === 'restoreInstance'
        ? await againstRestore(config, isObject(body) ? text(body.restore) : '', list)
        : await againstDelete(config, name, list)
  if (!why.ok) return why
  return why.value === null ? ok(null) : err(refused(remote, match, body, why.value))
}

const isThaw = (body: unknown): boolean => isObject(body) && body.action === 'unfreeze'

type List = () => Promise<Result<SnapshotPair[], CallError>>
/** Null: nothing speaks against it. */
type Why = Result<string | null, CallError>

async function againstDelete(config: Record<string, unknown>, name: string, list: List): Promise<Why> {
  if (text(config[REPLICA_OF]) === '') return ok('it is not of stapes’ making')
  if (name === 'deleteSnapshot') return ok(null)
  const listed = await list()
  if (!listed.ok) return listed
  const [verified] = commonPairs(parseVerified(text(config[VERIFIED])), listed.value)
  return ok(verified === undefined ? null : `its snapshot ${verified[0]} is a verified copy`)
}

async function againstRestore(config: Record<string, unknown>, snapshot: string, list: List): Promise<Why> {
  if (text(config[REPLICA_OF]) !== '') return ok('it is a copy, which the next refresh would overwrite')
  const restoring = parseRestoring(text(config[RESTORING]))
  if (restoring?.snapshot !== snapshot) return ok(`its ${RESTORING} doesn’t name that snapshot`)
  const { safety, taken } = restoring
  if (!taken) return ok(`its ${RESTORING} doesn’t say that ${safety} is whole`)
  if (parseSnapshotName(safety)?.policy !== SAFETY)
    return ok(`${safety} isn’t the name of a snapshot taken before a restore`)
  const listed = await list()
  if (!listed.ok) return listed
  const isThere = listed.value.some(([name]) => name === safety)
  return ok(isThere ? null : `its safety snapshot ${safety} doesn’t exist`)
}

async function listPairs(
  upstream: Upstream,
  remote: string,
  { parameters, query }: Match,
): Promise<Result<SnapshotPair[], CallError>> {
  const wanted = request('listSnapshots', only(parameters), { ...query, recursion: '1' })
  const list = await call(upstream, remote, wanted)
  if (!list.ok) return list
  const pairs = parseSnapshots(list.value.envelope.metadata)
  // What can't be read must not pass for "holds nothing".
  return pairs === null
    ? err(badReply(remote, list.value.status, `${wanted.path} has another form than expected`))
    : ok(pairs)
}

const only = ({ instance = '' }: Record<string, string>) => ({ instance })

function refused(remote: string, { name, parameters }: Match, body: unknown, why: string): CallError {
  const { instance, snapshot } = parameters
  const what =
    name === 'startInstance'
      ? `thaw ${instance}`
      : name === 'restoreInstance'
        ? `restore ${instance} to ${isObject(body) ? text(body.restore) : ''}`
        : `delete ${snapshot === undefined ? instance : `${snapshot} of ${instance}`}`
  return { code: 'not-allowed', message: `the relay does not ${what} on "${remote}": ${why}` }
}
