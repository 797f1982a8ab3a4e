/** An instance's snapshots, as they are listed just now. */
import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { type Match, request } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call } from './call.ts'
import { parseSnapshots } from './parse-volumes.ts'
import type { Upstream } from './upstream.ts'

/** `rows` as they came. */
type Listed = { pairs: SnapshotPair[]; rows: unknown[] }

export async function listSnapshots(
  upstream: Upstream,
  remote: string,
  { parameters, query }: Match,
): Promise<Result<Listed, CallError>> {
  const { instance = '' } = parameters
  const wanted = request('listSnapshots', { instance }, { ...query, recursion: '1' })
  const list = await call(upstream, remote, wanted)
  if (!list.ok) return list
  const { metadata } = list.value.envelope
  const pairs = parseSnapshots(metadata)
  // A list that can't be read is unknown, not empty.
  return pairs === null || !Array.isArray(metadata)
    ? err(badReply(remote, list.value.status, `${wanted.path} has another form than expected`))
    : ok({ pairs, rows: metadata })
}
