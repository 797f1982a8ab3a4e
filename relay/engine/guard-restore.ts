/** Reasons not to restore an instance in place, checked when it begins and again at the restore itself. */
import type { Match } from '../../shared/incus/routes.ts'
import { parseSnapshotName, SAFETY } from '../../shared/incus/snapshot-name.ts'
import { REPLICA_OF, RESTORING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { ok, type Result } from '../../shared/result.ts'
import { parseRestoring, type Restoring } from '../../shared/work/restore/mark.ts'
import { isObject, text } from './envelope.ts'
import { listSnapshots } from './guard-snapshots.ts'
import { againstSnapshot } from './restorable.ts'
import { marksSubject } from './subject-requests.ts'
import type { Upstream } from './upstream.ts'

/** The restore that a change of marks begins; null: it begins none. */
export function beginningOf(match: Match, body: unknown): Restoring | null {
  if (!marksSubject(match) || !isObject(body) || !isObject(body.config)) return null
  const restoring = parseRestoring(text(body.config[RESTORING]))
  return restoring?.taken === false ? restoring : null
}

/** Why it would fail, before anything is done. Null: no reason found. */
export async function againstBeginning(
  upstream: Upstream,
  remote: string,
  match: Match,
  beginning: Restoring,
  now: number,
): Promise<Result<string | null, CallError>> {
  const listed = await listSnapshots(upstream, remote, match)
  if (!listed.ok) return listed.error.status === 404 ? ok(null) : listed
  return ok(againstSnapshot(listed.value.rows, beginning, now))
}

/** The snapshot that the body of a restore names. */
export const restoredBy = (body: unknown): string => (isObject(body) ? text(body.restore) : '')

/** `config`: the instance's own. */
export async function againstRestore(
  upstream: Upstream,
  remote: string,
  match: Match,
  config: Record<string, unknown>,
  body: unknown,
  now: number,
): Promise<Result<string | null, CallError>> {
  const wanted = {
    ...{ snapshot: restoredBy(body), stateful: isObject(body) && body.stateful === true },
    ...(isObject(body) && body.disk_only === true ? { diskOnly: true as const } : {}),
  }
  const marked = parseRestoring(text(config[RESTORING]))
  const unmarked = againstMark(config, marked, wanted)
  if (marked === null || unmarked !== null) return ok(unmarked)
  const listed = await listSnapshots(upstream, remote, match)
  if (!listed.ok) return listed
  const { pairs, rows } = listed.value
  const isThere = pairs.some(([name]) => name === marked.safety)
  if (!isThere) return ok(`its safety snapshot ${marked.safety} doesn’t exist`)
  return ok(againstSnapshot(rows, { ...wanted, taken: marked.taken }, now))
}

/** Only what is marked for it is restored, with a safety snapshot that is whole. */
function againstMark(
  config: Record<string, unknown>,
  marked: Restoring | null,
  { snapshot, stateful, diskOnly }: Pick<Restoring, 'snapshot' | 'stateful' | 'diskOnly'>,
): string | null {
  if (text(config[REPLICA_OF]) !== '') return 'it is a copy, and the next refresh would overwrite it'
  if (marked?.snapshot !== snapshot) return `its ${RESTORING} doesn’t name that snapshot`
  if (stateful && !marked.stateful) return `its ${RESTORING} doesn’t say that its memory is restored`
  if (diskOnly !== marked.diskOnly) return `its ${RESTORING} says otherwise whether its settings are restored`
  if (!marked.taken) return `its ${RESTORING} doesn’t say that ${marked.safety} is complete`
  return parseSnapshotName(marked.safety)?.policy === SAFETY
    ? null
    : `${marked.safety} isn’t the name of a snapshot taken before a restore`
}
