/** Reads what exists on a remote in a handful of calls, and condenses it. */
import type { Clock } from '../../shared/clock.ts'
import { request } from '../../shared/incus/routes.ts'
import type { RemoteReply } from '../../shared/relay/protocol.ts'
import { err, ok } from '../../shared/result.ts'
import { badReply, call, stranger, untrusted } from './call.ts'
import { parseInstances } from './parse-instances.ts'
import { parseOperations } from './parse-operations.ts'
import { parseProjects, parseServer } from './parse-server.ts'
import type { Pools } from './pools.ts'
import { compareLists, fillSnapshots, type Read } from './snapshots.ts'
import type { Suspects } from './suspects.ts'
import type { UnseenCreates } from './unseen-creates.ts'
import type { Upstream } from './upstream.ts'

const ALL = { recursion: '1', 'all-projects': 'true' }

export type InventoryIo = {
  upstream: Upstream
  clock: Clock
  pools: Pools
  suspects: Suspects
  unseen: UnseenCreates
}

/**
 * Operations are read last: a snapshot whose creation ended between the listings is complete by then,
 * and one that is still being made is listed among them.
 */
export async function readInventory(
  { upstream, clock, pools, suspects, unseen }: InventoryIo,
  remote: string,
): Promise<RemoteReply> {
  const read = reader(upstream, remote)
  const greeting = await read(request('getServer'), parseServer)
  if (!greeting.ok) return greeting
  if (greeting.value.door === 'untrusted') return err(untrusted(remote))
  if (greeting.value.door === 'stranger') return err(stranger(remote, greeting.value.product))
  const { nested, ...server } = greeting.value.server
  const [projects, instances] = await Promise.all([
    read(request('listProjects', {}, { recursion: '1' }), parseProjects),
    read(request('listInstances', {}, ALL), parseInstances),
  ])
  if (!projects.ok) return projects
  if (!instances.ok) return instances
  const named = new Set(instances.value.map(({ pool }) => pool).filter((pool) => pool !== ''))
  const [seen] = await Promise.all([
    pools(remote, named),
    fillSnapshots(instances.value, { read, clock, nested }),
  ])
  await compareLists(instances.value, remote, suspects, read)
  const operations = await read(request('listOperations', {}, ALL), parseOperations)
  if (!operations.ok) return operations
  const doubted = unseen.of(remote)
  return {
    ok: true,
    inventory: {
      server,
      ...projects.value,
      ...seen,
      instances: instances.value,
      operations: operations.value,
      ...(doubted.length === 0 ? {} : { unseen: doubted }),
    },
  }
}

const reader =
  (upstream: Upstream, remote: string): Read =>
  async (wanted, parse) => {
    const answer = await call(upstream, remote, wanted)
    if (!answer.ok) return answer
    const parsed = parse(answer.value.envelope.metadata)
    return parsed === null
      ? err(badReply(remote, answer.value.status, `${wanted.path} has another form than expected`))
      : ok(parsed)
  }
