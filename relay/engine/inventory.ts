/** Reads what exists on a remote in a handful of calls, and condenses it. */
import type { Clock } from '../../shared/clock.ts'
import type { InstanceRecord } from '../../shared/incus/inventory.ts'
import { request } from '../../shared/incus/routes.ts'
import type { CallError, RemoteReply } from '../../shared/relay/protocol.ts'
import { err, ok } from '../../shared/result.ts'
import { safeText } from '../../shared/safe-text.ts'
import { MOST } from './bounds.ts'
import { readBuckets } from './buckets.ts'
import { badReply, CALL_TIMEOUT, call, notIncus, untrusted } from './call.ts'
import type { Journal } from './journal.ts'
import { parseInstances } from './parse-instances.ts'
import { parseOperations } from './parse-operations.ts'
import { parseProjects, parseServer } from './parse-server.ts'
import type { Pools } from './pools.ts'
import { compareLists, fillSnapshots, type Read } from './snapshots.ts'
import type { Suspects } from './suspects.ts'
import type { UnseenCreates } from './unseen-creates.ts'
import type { Upstream } from './upstream.ts'
import { withinBudget } from './user-keys.ts'
import { noteUsers, readVolumes } from './volumes.ts'
import type { Zones } from './zones.ts'

const ALL = { recursion: '1', 'all-projects': 'true' }

type InventoryIo = {
  upstream: Upstream
  clock: Clock
  /** Milliseconds for all of it. */
  look: number
  pools: Pools
  suspects: Suspects
  made: Journal['made']
  unseen: UnseenCreates
  zones: Pick<Zones, 'of'>
}

/** The keys that policies select by, and whether custom volumes and buckets are wanted. */
export type Wanted = { config: readonly string[]; volumes: boolean; buckets: boolean }

/** Whatever is wrong with a remote's answers makes that remote unknown, and nothing else. */
export async function readInventory(io: InventoryIo, remote: string, wanted: Wanted): Promise<RemoteReply> {
  try {
    return await readAll(io, remote, wanted, io.clock.now() + io.look)
  } catch (cause) {
    return err(badReply(remote, 200, `it can't be read (${safeText(String(cause), 200)})`))
  }
}

/**
 * Operations are read last: a snapshot whose creation ended between the listings is complete by then,
 * and one that is still being made is listed among them.
 */
async function readAll(
  { upstream, clock, look, pools, suspects, unseen, made, zones }: InventoryIo,
  remote: string,
  wanted: Wanted,
  until: number,
): Promise<RemoteReply> {
  const read = reader(upstream, remote, clock, { until, look })
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
  const [projects, listed] = await Promise.all([
    read(request('listProjects', {}, { recursion: '1' }), parseProjects),
    read(request('listInstances', {}, ALL), (metadata) =>
      parseInstances(metadata, { remote, server: server.fingerprint, made }, wanted.config),
    ),
  ])
  if (!projects.ok) return projects
  if (!listed.ok) return listed
  const { records: instances, unusable } = listed.value
  const named = poolsOf(instances)
  const [custom, buckets] = await Promise.all([
    wanted.volumes
      ? readVolumes(
          { read, clock, nested },
          { remote, server: server.fingerprint, made },
          projects.value.projects,
        )
      : null,
    wanted.buckets ? readBuckets(read, { remote, made }, projects.value.projects) : null,
    fillSnapshots(instances, { read, clock, nested }),
  ])
  // Volumes may be in pools that no instance lives in.
  for (const { pool } of custom?.records ?? []) if (named.size < MOST.pools) named.add(pool)
  const seen = await pools(remote, named, read)
  if (custom !== null) {
    noteUsers(custom.records, instances)
    for (const record of custom.records) instances.push(record)
    withinBudget(instances)
    unusable.push(...custom.unusable)
  }
  if (buckets !== null) {
    withinBudget(buckets.records)
    unusable.push(...buckets.unusable)
  }
  await compareLists(instances, remote, suspects, read)
  const operations = await read(request('listOperations', {}, ALL), parseOperations)
  if (!operations.ok) return operations
  const unseenCreates = unseen.of(remote)
  const zone = zones.of(remote)
  return {
    ok: true,
    inventory: {
      server: {
        ...server,
        ...(Math.abs(skew) < LEAST_SKEW ? {} : { skew }),
        ...(zone === null ? {} : { zone }),
      },
      ...projects.value,
      ...seen,
      instances,
      operations: operations.value,
      ...(unseenCreates.length === 0 ? {} : { unseen: unseenCreates }),
      ...(custom === null || custom.unlisted.length === 0 ? {} : { unlisted: firstOf(custom.unlisted) }),
      ...(buckets === null ? {} : { buckets: buckets.records }),
      ...(buckets === null || buckets.bucketless.length === 0
        ? {}
        : { bucketless: firstOf(buckets.bucketless) }),
      ...(unusable.length === 0 ? {} : { unusable: firstOf(unusable) }),
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

/** No call takes longer than what is left of the look. */
const reader =
  (
    upstream: Upstream,
    remote: string,
    clock: Clock,
    { until, look }: { until: number; look: number },
  ): Read =>
  async (wanted, parse) => {
    const left = until - clock.now()
    if (left <= 0) return err(tooSlow(remote, look))
    const answer = await call(upstream, remote, wanted, Math.min(left, CALL_TIMEOUT))
    if (!answer.ok) return clock.now() < until ? answer : err(tooSlow(remote, look))
    const parsed = parse(answer.value.envelope.metadata, answer.value.date)
    return parsed === null
      ? err(
          badReply(
            remote,
            answer.value.status,
            `${wanted.path} has another form than expected, or lists more than a server can have`,
          ),
        )
      : ok(parsed)
  }

const tooSlow = (remote: string, look: number): CallError => ({
  code: 'timeout',
  message: `"${remote}" answered too slowly: not all that is on it was listed within ${look / 1000} s; look at that server's load and at the line to it`,
})

/** The pools that are read; instances in others get the reason. */
function poolsOf(instances: readonly InstanceRecord[]): Set<string> {
  const named = new Set<string>()
  for (const instance of instances) {
    const { pool } = instance
    if (pool === '' || named.has(pool)) continue
    if (named.size < MOST.pools) named.add(pool)
    else instance.problem = `its server names more than ${MOST.pools} pools`
  }
  return named
}

function firstOf(unusable: readonly string[]): string[] {
  const more = unusable.length - MOST.named
  return more <= 0 ? [...unusable] : [...unusable.slice(0, MOST.named), `and ${more} more are left out`]
}
