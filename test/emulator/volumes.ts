import { customIn, customRows, fullCustom, getCustom, listCustomSnapshots, rowOf } from './custom.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { listed } from './instances.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { findPool, findProject, type Instance, type Snapshot } from './state.ts'

const stored = (instance: Instance): Snapshot[] =>
  [...instance.snapshots.values()].filter(({ torn }) => torn !== true)

type Row = Record<string, unknown>

/**
 * The cheapest whole inventory: rows for instances and for their snapshots (`web1/s1`), with the
 * nanoseconds that instance calls cut on copies, and without expiry; later, snapshots inside their volume's row.
 * Over all projects it is everybody's, even to a client fenced into one. Rows of members that are away are there
 * too, for the database has them.
 */
export function listVolumes(server: EmbeddedIncus, call: Call): Reply {
  const { pool = '', type = '' } = call.parameters
  const { recursion = '0' } = call.query
  const { nested } = server.face
  findPool(server.state, pool)
  const isEverywhere = call.query['all-projects'] === 'true'
  if (type === 'custom') return listCustom(server, pool, isEverywhere ? null : call.project, recursion)
  const asked = isEverywhere ? { ...call, access: { ...call.access, projects: null } } : call
  const found = listed(server, asked).filter((instance) => instance.pool === pool && instance.type === type)
  if (!/^[12]$/.test(recursion))
    return sync(found.flatMap((instance) => urlsOf(instance, pool, type, nested)))
  if (!nested) return sync(found.flatMap(rowsOf))
  return sync(found.map((instance) => (recursion === '2' ? fullRow(server, instance) : ownRow(instance))))
}

function listCustom(server: EmbeddedIncus, pool: string, project: string | null, recursion: string): Reply {
  const found = customIn(server, pool, project)
  if (!server.face.nested) return sync(found.flatMap((one) => customRows(server, one)))
  return sync(found.map((one) => (recursion === '2' ? fullCustom(server, one) : rowOf(server, one))))
}

/** One volume; `recursion=1` is its listing's 2. */
export function getVolume(server: EmbeddedIncus, call: Call): Reply {
  if (call.parameters.type === 'custom') return getCustom(server, call)
  const found = volumeOf(server, call)
  const isFull = server.face.nested && call.query.recursion === '1'
  return sync(isFull ? fullRow(server, found) : ownRow(found))
}

const NO_VOLUME = 'Storage pool volume not found'

function volumeOf({ state }: EmbeddedIncus, { project, parameters }: Call): Instance {
  const { pool = '', type = '', volume = '' } = parameters
  const found = findProject(state, project).instances.get(volume)
  if (found === undefined || found.pool !== pool || found.type !== type) throw new Refusal(404, NO_VOLUME)
  return found
}

/** Those of one volume. A member knows only what is on itself. */
export function listVolumeSnapshots(server: EmbeddedIncus, call: Call): Reply {
  if (call.parameters.type === 'custom') return listCustomSnapshots(server, call)
  const found = volumeOf(server, call)
  const { target = found.location } = call.query
  if (target !== found.location) throw new Refusal(404, NO_VOLUME)
  return sync(
    stored(found).map(({ name, volumeCreatedAt }) => ({
      name: `${found.name}/${name}`,
      ...{ created_at: volumeCreatedAt, expires_at: null, config: {}, content_type: '', description: '' },
    })),
  )
}

/** "None" and "the member is away" are both null, and only the other two fields tell them apart. */
function fullRow(server: EmbeddedIncus, instance: Instance): Row {
  if (server.lostMembers.has(instance.location))
    return { ...ownRow(instance), backups: null, snapshots: null, state: null }
  const snapshots = stored(instance).map(({ name, volumeCreatedAt }) => ({
    ...{ name, created_at: volumeCreatedAt, expires_at: null, config: {}, content_type: '', description: '' },
  }))
  return {
    ...ownRow(instance),
    backups: [],
    snapshots: snapshots.length === 0 ? null : snapshots,
    state: { usage: { total: 0 } },
  }
}

function rowsOf(instance: Instance): Row[] {
  const rows = [ownRow(instance)]
  for (const snapshot of stored(instance))
    rows.push(row(instance, `${instance.name}/${snapshot.name}`, snapshot.volumeCreatedAt, []))
  return rows
}

const ownRow = (instance: Instance): Row =>
  row(instance, instance.name, instance.volumeCreatedAt, [`/1.0/instances/${instance.name}`])

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

function urlsOf(instance: Instance, pool: string, type: string, nested: boolean): string[] {
  const base = `/1.0/storage-pools/${pool}/volumes/${type}/${instance.name}`
  const suffix = instance.project === 'default' ? '' : `?project=${instance.project}`
  const names = nested ? [] : stored(instance).map(({ name }) => name)
  return [base, ...names.map((name) => `${base}/snapshots/${name}`)].map((url) => url + suffix)
}
