/** Custom volumes and their snapshots: routes of their own, and answers of another form than those of instances. */
import { config, field, record, text } from './body.ts'
import { type Moment, NEVER, never, parseDate } from './dates.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { checkMatch } from './etag.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { copyingMs } from './snapshots.ts'
import { type Custom, type CustomSnapshot, findPool, homeOf, newDisk, type State, stamp } from './state.ts'

const NOT_FOUND = 'Storage pool volume not found'

export function findCustom(server: EmbeddedIncus, { project, parameters }: Call): Custom {
  const { pool = '', volume = '' } = parameters
  const home = homeOf(server.state, project)
  const found = findPool(server.state, pool).volumes.get(`${home}/${volume}`)
  if (found === undefined) throw new Refusal(404, NOT_FOUND)
  return found
}

/** By the hand of a test. */
export function customOf(
  { state }: EmbeddedIncus,
  { pool = 'default', project = 'default', name }: { pool?: string; project?: string; name: string },
): Custom {
  const found = findPool(state, pool).volumes.get(`${homeOf(state, project)}/${name}`)
  if (found === undefined) throw new Error(`there is no custom volume ${project}/${pool}:${name}`)
  return found
}

export const customIn = ({ state }: EmbeddedIncus, pool: string, project: string | null): Custom[] =>
  [...findPool(state, pool).volumes.values()]
    .filter((one) => project === null || one.project === homeOf(state, project))
    .sort((a, b) => (a.name < b.name ? -1 : 1))

export function addCustom(
  server: EmbeddedIncus,
  { pool, project, name }: { pool: string; project: string; name: string },
  more: Partial<Pick<Custom, 'content' | 'description' | 'config'>> = {},
): Custom {
  const home = homeOf(server.state, project)
  const volume: Custom = {
    ...{ project: home, pool, name, content: 'filesystem', description: '', config: {}, ...more },
    createdAt: stamp(server.now(), server.options.random),
    ...{ location: 'none', disk: newDisk(), snapshots: new Map(), backups: new Map() },
  }
  findPool(server.state, pool).volumes.set(`${home}/${name}`, volume)
  return volume
}

export function createCustom(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const { pool = '' } = call.parameters
  const [name, content] = [text(body, 'name'), text(body, 'content_type') || 'filesystem']
  if (customIn(server, pool, call.project).some((one) => one.name === name))
    throw new Refusal(409, 'Volume by that name already exists')
  const more = { content: content as Custom['content'], description: text(body, 'description') }
  addCustom(server, { pool, project: call.project, name }, { ...more, config: config(body) })
  return sync()
}

/** Also while a transfer writes to it: up to 6.0.5 it goes, later its data alone. */
export function deleteCustom(server: EmbeddedIncus, call: Call): Reply {
  const found = findCustom(server, call)
  if (usersOf(server.state, found).length > 0) throw new Refusal(400, 'The storage volume is still in use')
  const writing = [...server.volumeTransfers].find(({ target }) => target.volume === found)
  if (writing !== undefined && server.face.keepsMounted) {
    writing.fail('Rsync receive failed: [exit status 23]')
    throw new Refusal(500, `Failed to remove '…/custom/default_${found.name}': device or resource busy`)
  }
  findPool(server.state, found.pool).volumes.delete(`${found.project}/${found.name}`)
  return sync()
}

const tagOf = ({ name, config: set }: Custom): unknown => [name, 'custom', set]

export function getCustom(server: EmbeddedIncus, call: Call): Reply {
  const found = findCustom(server, call)
  const isFull = server.face.nested && call.query.recursion === '1'
  return sync(isFull ? fullCustom(server, found) : rowOf(server, found), tagOf(found))
}

/** Merges the config, and empties a description that isn't repeated. */
export function patchCustom(server: EmbeddedIncus, call: Call): Reply {
  const found = findCustom(server, call)
  const body = record(call.body)
  checkMatch(call.ifMatch, tagOf(found))
  if (/@(never|startup)/i.test(config(body)['snapshots.schedule'] ?? ''))
    throw new Refusal(500, `Invalid value for volume "${found.name}" option "snapshots.schedule"`)
  for (const [key, value] of Object.entries(config(body))) {
    if (value === '') delete found.config[key]
    else found.config[key] = value
  }
  found.description = text(body, 'description')
  return sync()
}

export function listCustomSnapshots(server: EmbeddedIncus, call: Call): Reply {
  const found = findCustom(server, call)
  return sync([...found.snapshots.values()].map((one) => nested(one, `${found.name}/${one.name}`)))
}

export function createCustomSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const found = findCustom(server, call)
  const name = text(record(call.body), 'name')
  const expires = expiryOf(field(call.body, 'expires_at'))
  if (/\s/.test(name)) throw new Refusal(400, 'Storage name cannot contain white space')
  if (found.snapshots.has(name)) throw new Refusal(409, `Snapshot "${name}" already in use`)
  if (found.content === 'iso')
    throw new Refusal(
      server.face.nested ? 400 : 500,
      'Volume of content type "iso" does not support snapshots',
    )
  if (found.config.dependent === 'true')
    throw new Refusal(400, 'Direct snapshots are not allowed for dependent volumes')
  let made: CustomSnapshot | null = null
  return server.operations.task(
    { ...operationOn('Creating storage volume snapshot', found, name, call), location: found.location },
    {
      begin: () => {
        if (found.snapshots.has(name)) throw new Refusal(409, `Snapshot "${name}" already in use`)
        made = {
          ...{ name, expires, description: found.description, config: { ...found.config } },
          createdAt: stamp(server.now(), server.options.random),
          ...{ disk: { ...found.disk, held: 'phantom' }, inMaking: true },
        }
        found.snapshots.set(name, made)
      },
      ms: server.snapshotMs + copyingMs(server, found.pool, found.disk),
      end: () => {
        if (made === null) return
        if (findPool(server.state, found.pool).full) {
          found.snapshots.delete(name)
          throw new Refusal(500, 'Failed to copy: No space left on device')
        }
        Object.assign(made, { disk: { ...found.disk }, inMaking: false })
        server.scheduler.expects(expires)
      },
    },
  )
}

function target(server: EmbeddedIncus, call: Call): [Custom, CustomSnapshot] {
  const found = findCustom(server, call)
  const snapshot = found.snapshots.get(call.parameters.snapshot ?? '')
  if (snapshot === undefined) throw new Refusal(404, NOT_FOUND)
  return [found, snapshot]
}

const snapshotTag = ({ description, expires }: CustomSnapshot): unknown => [description, expires.text]

export function getCustomSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [found, snapshot] = target(server, call)
  const row = { ...nested(snapshot, snapshot.name), expires_at: snapshot.expires.text }
  return sync({ ...row, content_type: found.content }, snapshotTag(snapshot))
}

/** At once, unlike an instance's; the description goes as the volume's. */
export function patchCustomSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [, snapshot] = target(server, call)
  checkMatch(call.ifMatch, snapshotTag(snapshot))
  const wanted = field(call.body, 'expires_at')
  if (wanted !== undefined && wanted !== null) snapshot.expires = expiryOf(wanted)
  snapshot.description = text(record(call.body), 'description')
  server.scheduler.expects(snapshot.expires)
  return sync()
}

export function renameCustomSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [found, snapshot] = target(server, call)
  const name = text(record(call.body), 'name')
  if (found.snapshots.has(name)) throw new Refusal(409, `Snapshot "${name}" already in use`)
  return server.operations.task(operationOn('Renaming storage volume snapshot', found, snapshot.name, call), {
    end: () => {
      found.snapshots.delete(snapshot.name)
      snapshot.name = name
      found.snapshots.set(name, snapshot)
    },
  })
}

export function deleteCustomSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [found, { name }] = target(server, call)
  return server.operations.task(operationOn('Deleting storage volume snapshot', found, name, call), {
    end: () => removeCustomSnapshot(found, name),
  })
}

export function removeCustomSnapshot(found: Custom, name: string): void {
  if (!found.snapshots.delete(name)) throw new Refusal(404, NOT_FOUND)
}

function expiryOf(value: unknown): Moment {
  const moment = typeof value === 'string' ? parseDate(value) : never
  if (moment === null || moment.text === NEVER) return never
  return moment
}

function operationOn(
  description: string,
  { pool, name, project: home }: Custom,
  snapshot: string,
  call: Call,
) {
  const url = `/1.0/storage-pools/${pool}/volumes/custom/${encodeURIComponent(name)}`
  const suffix = home === 'default' ? '' : `?project=${home}`
  return {
    ...{ description, project: call.project },
    resources: {
      storage_volumes: [`${url}${suffix}`],
      storage_volume_snapshots: [`${url}/snapshots/${encodeURIComponent(snapshot)}${suffix}`],
    },
  }
}

export function operationOnVolume(
  description: string,
  { pool, name, project: home }: Custom,
  { project }: Call,
) {
  const suffix = home === 'default' ? '' : `?project=${home}`
  const url = `/1.0/storage-pools/${pool}/volumes/custom/${encodeURIComponent(name)}${suffix}`
  return { ...{ description, project }, resources: { storage_volumes: [url] } }
}

type Row = Record<string, unknown>

const nested = ({ createdAt, description, config: set, expires }: CustomSnapshot, name: string): Row => ({
  ...{ name, created_at: createdAt, description, config: { ...set }, content_type: '' },
  expires_at: expires.text === NEVER ? null : expires.text,
})

const usersOf = (state: State, { project, pool, name }: Custom): string[] =>
  [...state.projects.values()].flatMap(({ name: other, instances }) =>
    homeOf(state, other) !== project
      ? []
      : [...instances.values()].flatMap((instance) =>
          Object.values(instance.devices).some((device) => device.pool === pool && device.source === name)
            ? [`/1.0/instances/${instance.name}${other === 'default' ? '' : `?project=${other}`}`]
            : [],
        ),
  )

export const rowOf = ({ state }: EmbeddedIncus, one: Custom): Row => ({
  ...{ name: one.name, type: 'custom', content_type: one.content, created_at: one.createdAt },
  ...{ project: one.project, location: one.location, used_by: usersOf(state, one) },
  ...{ config: { ...one.config }, description: one.description },
})

export const fullCustom = (server: EmbeddedIncus, one: Custom): Row => ({
  ...rowOf(server, one),
  backups: [],
  snapshots:
    one.snapshots.size === 0 ? null : [...one.snapshots.values()].map((each) => nested(each, each.name)),
  state: { usage: { total: 0 } },
})

/** The form of up to 6.0.5: each snapshot is a row of its own. */
export const customRows = (server: EmbeddedIncus, one: Custom): Row[] => [
  rowOf(server, one),
  ...[...one.snapshots.values()].map((snapshot) => ({
    ...rowOf(server, one),
    ...{ name: `${one.name}/${snapshot.name}`, created_at: snapshot.createdAt, used_by: [] },
    ...{ config: { ...snapshot.config }, description: snapshot.description },
  })),
]
