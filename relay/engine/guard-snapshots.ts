/** The snapshots of an instance or a volume, as they are listed just now. */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import type { Match } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { parseSnapshots } from './parse-volumes.ts'
import { listRequest, rowsOf, subjectNameIn } from './subject-requests.ts'
import type { Upstream } from './upstream.ts'

/** `rows` as they came. */
type Listed = { pairs: SnapshotPair[]; rows: unknown[] }

export async function listSnapshots(
  upstream: Upstream,
  remote: string,
  match: Match,
): Promise<Result<Listed, CallError>> {
  const ref = { project: match.query.project ?? 'default', instance: subjectNameIn(match) }
  const wanted = listRequest(ref)
  const list = await call(upstream, remote, wanted)
  if (!list.ok) return list
  const metadata = rowsOf(ref, list.value.envelope.metadata)
  const pairs = parseSnapshots(metadata)
  // A list that can't be read is unknown, not empty.
  return pairs === null || !Array.isArray(metadata)
    ? err(badReply(remote, list.value.status, `${wanted.path} has another form than expected`))
    : ok({ pairs, rows: metadata })
}
