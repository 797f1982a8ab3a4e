/** Reads what exists on a remote in a handful of calls, and condenses it. */
import type { InstanceRecord, RemoteInventory } from '../../shared/incus/inventory.ts'
import { type IncusRequest, request } from '../../shared/incus/routes.ts'
import type { CallError, RemoteReply } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call, untrusted } from './call.ts'
import { isObject, text } from './envelope.ts'
import { parseInstances } from './parse-instances.ts'
import { parseOperations } from './parse-operations.ts'
import { parseVolumes, type Snapshots, volumeKey } from './parse-volumes.ts'
import type { Pools } from './pools.ts'
import type { Upstream } from './upstream.ts'

const ALL = { recursion: '1', 'all-projects': 'true' }

/**
 * Operations are read last: a snapshot whose creation ended between the listings is complete by then,
 * and one that is still being made is listed among them.
 */
export async function readInventory(upstream: Upstream, remote: string, pools: Pools): Promise<RemoteReply> {
  const read = reader(upstream, remote)
  const [server, projects, instances] = await Promise.all([
    read(request('getServer'), (metadata) => parseServer(metadata)),
    read(request('listProjects'), parseProjects),
    read(request('listInstances', {}, ALL), parseInstances),
  ])
  if (!server.ok) return server
  if (server.value === 'untrusted') return err(untrusted(remote))
  if (!projects.ok) return projects
  if (!instances.ok) return instances
  const named = new Set(instances.value.map(({ pool }) => pool).filter((pool) => pool !== ''))
  const [drivers] = await Promise.all([pools(remote, named), fillSnapshots(instances.value, read)])
  const operations = await read(request('listOperations', {}, ALL), parseOperations)
  if (!operations.ok) return operations
  return {
    ok: true,
    inventory: {
      server: server.value,
      projects: projects.value,
      pools: drivers,
      instances: instances.value,
      operations: operations.value,
    },
  }
}

type Read = <T>(
  request: IncusRequest,
  parse: (metadata: unknown) => T | null,
) => Promise<Result<T, CallError>>

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

function parseServer(metadata: unknown): RemoteInventory['server'] | 'untrusted' | null {
  if (!isObject(metadata)) return null
  if (metadata.auth !== 'trusted') return 'untrusted'
  const { environment } = metadata
  if (!isObject(environment)) return null
  const fingerprint = text(environment.certificate_fingerprint)
  if (fingerprint === '') return null
  return {
    fingerprint,
    version: text(environment.server_version),
    clustered: environment.server_clustered === true,
  }
}

/** A list of URLs, whose names stand there raw. */
function parseProjects(metadata: unknown): string[] | null {
  if (!Array.isArray(metadata)) return null
  const prefix = '/1.0/projects/'
  const names = metadata.map((url) => (text(url).startsWith(prefix) ? text(url).slice(prefix.length) : ''))
  return names.includes('') ? null : names
}

/** One listing per pool and type that an instance lives in. */
async function fillSnapshots(instances: InstanceRecord[], read: Read): Promise<void> {
  const groups = new Map<string, InstanceRecord[]>()
  for (const instance of instances) {
    const key = `${instance.pool}\n${instance.type}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [instance])
    else group.push(instance)
  }
  await Promise.all([...groups.values()].map((group) => fillGroup(group, read)))
}

async function fillGroup(group: InstanceRecord[], read: Read): Promise<void> {
  const { pool, type } = group[0] ?? {}
  if (pool === undefined || type === undefined) return
  const listing = pool === '' ? null : await read(request('listVolumes', { pool, type }, ALL), parseVolumes)
  for (const instance of group) {
    const found =
      listing?.ok === true ? listing.value.get(volumeKey(instance.project, instance.name)) : undefined
    if (found !== undefined && instance.status !== OFFLINE && instance.offline !== true)
      instance.snapshots = found
    else instance.problem = problemOf(instance, listing)
  }
}

/** Of an instance on a member that can't be reached; Incus lists it all the same. */
const OFFLINE = 'Error'

function problemOf(
  { pool, status, location, offline }: InstanceRecord,
  listing: Result<Snapshots, CallError> | null,
): string {
  if (offline === true)
    return `cluster member ${location} gives no answer for it, so that nothing is known of it but its name`
  if (listing === null) return 'it has no root disk with a pool'
  if (!listing.ok) return `pool "${pool}" can't be listed: ${listing.error.message}`
  return status === OFFLINE
    ? 'its status is Error: the cluster member may be offline'
    : `pool "${pool}" lists no volume of it`
}
