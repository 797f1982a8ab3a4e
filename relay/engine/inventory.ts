/** Reads what exists on a remote in a handful of calls, and condenses it. */
import type { Clock } from '../../shared/clock.ts'
import { request } from '../../shared/incus/routes.ts'
import type { RemoteReply } from '../../shared/relay/protocol.ts'
import { err, ok } from '../../shared/result.ts'
import { badReply, call, notIncus, untrusted } from './call.ts'
import { parseInstances } from './parse-instances.ts'
import { parseOperations } from './parse-operations.ts'
import { parseProjects, parseServer } from './parse-server.ts'
import type { Pools } from './pools.ts'
import { compareLists, fillSnapshots, type Read } from './snapshots.ts'
import type { Suspects } from './suspects.ts'
import type { UnseenCreates } from './unseen-creates.ts'
import type { Upstream } from './upstream.ts'

const ALL = { recursion: '1', 'all-projects': 'true' }

type InventoryIo = {
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
  selectedBy: readonly string[],
): Promise<RemoteReply> {
  const read = reader(upstream, remote)
  const sentAt = clock.now()
  let skew = 0
  const greeting = await read(request('getServer'), (metadata, date) => {
    skew = date === undefined ? 0 : skewOf(date, sentAt, clock.now())
    return parseServer(metadata)
  })
  if (!greeting.ok) return greeting
  if (greeting.value.state === 'untrusted') return err(untrusted(remote))
  if (greeting.value.state === 'not-incus') return err(notIncus(remote, greeting.value.product))
  const { nested, ...server } = greeting.value.server
  const [projects, instances] = await Promise.all([
    read(request('listProjects', {}, { recursion: '1' }), parseProjects),
    read(request('listInstances', {}, ALL), (metadata) => parseInstances(metadata, selectedBy)),
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
  const unseenCreates = unseen.of(remote)
  return {
    ok: true,
    inventory: {
      server: Math.abs(skew) < LEAST_SKEW ? server : { ...server, skew },
      ...projects.value,
      ...seen,
      instances: instances.value,
      operations: operations.value,
      ...(unseenCreates.length === 0 ? {} : { unseen: unseenCreates }),
    },
  }
}

/** Seconds. Synchronized clocks differ by less, which doesn't matter. */
const LEAST_SKEW = 60

/**
 * Seconds that a clock is ahead of ours, or behind it (negative), by what it showed at some time between two
 * instants.
 */
export function skewOf(date: number, sentAt: number, answeredAt: number): number {
  if (date > answeredAt) return Math.floor((date - answeredAt) / 1000)
  // The Date header has whole seconds.
  return Math.min(0, Math.ceil((date + 1000 - sentAt) / 1000))
}

const reader =
  (upstream: Upstream, remote: string): Read =>
  async (wanted, parse) => {
    const answer = await call(upstream, remote, wanted)
    if (!answer.ok) return answer
    const parsed = parse(answer.value.envelope.metadata, answer.value.date)
    return parsed === null
      ? err(badReply(remote, answer.value.status, `${wanted.path} has another form than expected`))
      : ok(parsed)
  }
