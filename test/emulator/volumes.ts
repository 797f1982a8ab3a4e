import { type Reply, sync } from './envelope.ts'
import { listed } from './instances.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { findPool, type Instance } from './state.ts'

type Row = Record<string, unknown>

/**
 * The cheapest whole inventory: rows for instances and for their snapshots (`web1/s1`), with the
 * nanoseconds that instance calls cut on copies, and without expiry. Over all projects it is everybody's,
 * even to a client fenced into one.
 */
export function listVolumes(server: EmbeddedIncus, call: Call): Reply {
  const { pool = '', type = '' } = call.parameters
  findPool(server.state, pool)
  const everybody = { ...call, access: { ...call.access, projects: null } }
  const stored = listed(server, everybody).filter(
    (instance) =>
      instance.pool === pool && instance.type === type && !server.lostMembers.has(instance.location),
  )
  if (call.query.recursion === '1') return sync(stored.flatMap(rowsOf))
  return sync(stored.flatMap((instance) => urlsOf(instance, pool, type)))
}

function rowsOf(instance: Instance): Row[] {
  const rows = [row(instance, instance.name, instance.volumeCreatedAt, [`/1.0/instances/${instance.name}`])]
  for (const snapshot of instance.snapshots.values())
    rows.push(row(instance, `${instance.name}/${snapshot.name}`, snapshot.volumeCreatedAt, []))
  return rows
}

const row = (instance: Instance, name: string, createdAt: string, usedBy: string[]): Row => ({
  name,
  type: instance.type,
  content_type: instance.type === 'container' ? 'filesystem' : 'block',
  created_at: createdAt,
  project: instance.project,
  location: instance.location,
  used_by: usedBy,
  config: {},
  description: '',
})

function urlsOf(instance: Instance, pool: string, type: string): string[] {
  const base = `/1.0/storage-pools/${pool}/volumes/${type}/${instance.name}`
  const suffix = instance.project === 'default' ? '' : `?project=${instance.project}`
  return [base, ...[...instance.snapshots.keys()].map((name) => `${base}/snapshots/${name}`)].map(
    (url) => url + suffix,
  )
}
