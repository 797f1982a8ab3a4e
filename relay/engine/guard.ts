/**
 * Deleting and restoring are what could lose everything, so the relay looks first, whoever asks: of
 * instances it deletes only copies whose own mark says that they were never verified, of snapshots only
 * those that stapes named, or that came to a copy, and never a copy's newest verified one; and it restores
 * only what is marked for it, with a snapshot beside it that brings the state before back, and only to a
 * snapshot that lasts, with memory only where that has some. It thaws only what is frozen while nothing runs
 * on it. A copy's mark of a transfer changes only while no operation runs on it: that would lift Incus's lock.
 */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { type Match, request } from '../../shared/incus/routes.ts'
import { parseSnapshotName, SAFETY } from '../../shared/incus/snapshot-name.ts'
import { parseRestoring, type Restoring } from '../../shared/plan/restoring.ts'
import { REPLICA_OF, RESTORING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { isObject, text } from './envelope.ts'
import { againstDelete, againstTransfer, transferOwner } from './guard-copy.ts'
import { againstThaw } from './guard-thaw.ts'
import { parseSnapshots } from './parse-volumes.ts'
import { againstSnapshot } from './restorable.ts'
import type { Upstream } from './upstream.ts'
import type { VerifiedMemory } from './verified-memory.ts'

/** Whether the relay has to look before it makes such a call. */
export const isGuarded = ({ name, parameters }: Match): boolean =>
  name === 'deleteInstance' ||
  name === 'restoreInstance' ||
  name === 'startInstance' ||
  name === 'markInstance' ||
  (name === 'deleteSnapshot' && parseSnapshotName(parameters.snapshot ?? '') === null)

/** What the relay has seen, and its time in milliseconds since the epoch. */
export type Seen = { verified: VerifiedMemory; now: number }

/** `body` is one that the route accepts. */
export async function guard(
  upstream: Upstream,
  remote: string,
  match: Match,
  body: unknown,
  { verified, now }: Seen,
): Promise<Result<null, CallError>> {
  const beginning = beginningOf(match, body)
  if (beginning !== null) {
    const listed = await listSnapshots(upstream, remote, match)
    if (!listed.ok) return listed.error.status === 404 ? ok(null) : listed
    const why = againstSnapshot(listed.value.rows, beginning, now)
    return why === null ? ok(null) : err(refused(remote, match, beginning.snapshot, why))
  }
  const { name, parameters, query } = match
  const newest = verified.newest(remote, query.project ?? 'default', parameters.instance ?? '')
  if (name === 'deleteSnapshot' && newest !== null && newest[0] === parameters.snapshot)
    return err(refused(remote, match, '', 'it is the newest verified snapshot of a copy'))
  if (!isGuarded(match) || isHarmless(name, body)) return ok(null)
  const one = await call(upstream, remote, request('getInstance', only(parameters), query))
  if (!one.ok) return one.error.status === 404 ? ok(null) : one
  const instance = one.value.envelope.metadata
  if (!isObject(instance) || !isObject(instance.config))
    return err(badReply(remote, one.value.status, `the instance ${parameters.instance} has no config in it`))
  const { config } = instance
  const wanted = isObject(body) ? text(body.restore) : ''
  const why = await against(instance, config)
  if (!why.ok) return why
  return why.value === null ? ok(null) : err(refused(remote, match, wanted, why.value))

  async function against(instance: Record<string, unknown>, config: Record<string, unknown>): Promise<Why> {
    if (name === 'startInstance') return againstThaw(upstream, remote, match, instance)
    if (name === 'markInstance') return againstTransfer(upstream, remote, match, config, body)
    if (name !== 'restoreInstance') return ok(againstDelete(config, name, newest !== null))
    const stateful = isObject(body) && body.stateful === true
    const list = () => listSnapshots(upstream, remote, match)
    return againstRestore(config, { snapshot: wanted, stateful }, list, now)
  }
}

/** To start is no thaw, and most marks say nothing of a transfer. */
const isHarmless = (name: string, body: unknown): boolean =>
  (name === 'markInstance' && transferOwner(body) === null) || (name === 'startInstance' && !isThaw(body))

const isThaw = (body: unknown): boolean => isObject(body) && body.action === 'unfreeze'

/** Of a mark with which a restore begins: what would fail it is told before anything is done. */
function beginningOf({ name }: Match, body: unknown): Restoring | null {
  if (name !== 'markInstance' || !isObject(body) || !isObject(body.config)) return null
  const restoring = parseRestoring(text(body.config[RESTORING]))
  return restoring?.taken === false ? restoring : null
}

/** `rows` as they came. */
type Listed = { pairs: SnapshotPair[]; rows: unknown[] }
type List = () => Promise<Result<Listed, CallError>>
/** Null: nothing speaks against it. */
type Why = Result<string | null, CallError>

async function againstRestore(
  config: Record<string, unknown>,
  { snapshot, stateful }: Pick<Restoring, 'snapshot' | 'stateful'>,
  list: List,
  now: number,
): Promise<Why> {
  if (text(config[REPLICA_OF]) !== '') return ok('it is a copy, which the next refresh would overwrite')
  const restoring = parseRestoring(text(config[RESTORING]))
  if (restoring?.snapshot !== snapshot) return ok(`its ${RESTORING} doesn’t name that snapshot`)
  const { safety, taken } = restoring
  if (stateful && !restoring.stateful) return ok(`its ${RESTORING} doesn’t say that its memory is restored`)
  if (!taken) return ok(`its ${RESTORING} doesn’t say that ${safety} is whole`)
  if (parseSnapshotName(safety)?.policy !== SAFETY)
    return ok(`${safety} isn’t the name of a snapshot taken before a restore`)
  const listed = await list()
  if (!listed.ok) return listed
  const isThere = listed.value.pairs.some(([name]) => name === safety)
  if (!isThere) return ok(`its safety snapshot ${safety} doesn’t exist`)
  return ok(againstSnapshot(listed.value.rows, { snapshot, stateful, taken }, now))
}

async function listSnapshots(
  upstream: Upstream,
  remote: string,
  { parameters, query }: Match,
): Promise<Result<Listed, CallError>> {
  const wanted = request('listSnapshots', only(parameters), { ...query, recursion: '1' })
  const list = await call(upstream, remote, wanted)
  if (!list.ok) return list
  const { metadata } = list.value.envelope
  const pairs = parseSnapshots(metadata)
  // What can't be read must not pass for "holds nothing".
  return pairs === null || !Array.isArray(metadata)
    ? err(badReply(remote, list.value.status, `${wanted.path} has another form than expected`))
    : ok({ pairs, rows: metadata })
}

const only = ({ instance = '' }: Record<string, string>) => ({ instance })

function refused(remote: string, { name, parameters }: Match, wanted: string, why: string): CallError {
  const { instance, snapshot } = parameters
  const what =
    name === 'startInstance'
      ? `thaw ${instance}`
      : name === 'markInstance' && wanted === ''
        ? `mark ${instance}`
        : name === 'restoreInstance' || name === 'markInstance'
          ? `restore ${instance} to ${wanted}`
          : `delete ${snapshot === undefined ? instance : `${snapshot} of ${instance}`}`
  return { code: 'not-allowed', message: `the relay does not ${what} on "${remote}": ${why}` }
}
