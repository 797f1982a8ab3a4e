/** How an instance comes to be: its record, empty, or as a local copy of another or of a snapshot. */
import { config, devices, record, section, strings, text } from './body.ts'
import { Refusal, type Reply } from './envelope.ts'
import { checkConfig, instanceOperation } from './instances.ts'
import { checkInstanceName } from './names.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { copyingMs } from './snapshots.ts'
import {
  copySettings,
  type Disk,
  expand,
  findInstance,
  findPool,
  findProject,
  findSnapshot,
  homeOf,
  type Instance,
  newDisk,
  rootPool,
  type Settings,
  stamp,
} from './state.ts'

export function addInstance(
  server: EmbeddedIncus,
  project: string,
  name: string,
  settings: Settings,
  type: Instance['type'] = 'container',
): Instance {
  const { instances, config: limits } = findProject(server.state, project)
  if (instances.has(name)) throw new Refusal(500, TAKEN + server.face.takenInstance)
  if (limits['limits.instances'] !== undefined && instances.size >= Number(limits['limits.instances']))
    throw new Refusal(500, `Reached maximum number of instances in project "${project}"`)
  const pool = rootPool(server.state, project, settings)
  const createdAt = stamp(server.now(), server.options.random)
  const instance: Instance = {
    ...copySettings(settings),
    id: ++server.state.lastInstance,
    project,
    name,
    type,
    status: 'Stopped',
    createdAt,
    volumeCreatedAt: createdAt,
    lastUsedAt: '1970-01-01T00:00:00Z',
    location: 'none',
    pool,
    disk: newDisk(),
    snapshots: new Map(),
    backups: new Map(),
    outputs: new Map(),
    busy: null,
    unfinished: false,
    mounted: false,
  }
  instances.set(name, instance)
  server.scheduler.configChanged()
  return instance
}

/** The body decides the settings, and only of a new instance. */
export const settingsOf = (body: Record<string, unknown>): Settings => ({
  architecture: text(body, 'architecture') || 'x86_64',
  description: text(body, 'description'),
  ephemeral: body.ephemeral === true,
  profiles: strings(body, 'profiles') ?? ['default'],
  config: config(body),
  devices: devices(body),
})

export const typeOf = (body: Record<string, unknown>): Instance['type'] =>
  body.type === 'virtual-machine' ? body.type : 'container'

const TAKEN = 'Failed creating instance record: Add instance info to the database: '

/** `source: none`: no image, nothing on disk. */
export function createEmpty(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const name = text(body, 'name')
  checkInstanceName(name)
  const settings = settingsOf(body)
  checkConfig(settings.config)
  const instance = addInstance(server, call.project, name, settings, typeOf(body))
  return server.operations.task(instanceOperation('Creating instance', instance), { end: () => {} })
}

/** From an instance without its snapshots' fate, or from one snapshot; what the body names beats the original's. */
export function createCopy(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const name = text(body, 'name')
  checkInstanceName(name)
  const source = section(body, 'source')
  const [from = '', snapshotName] = text(source, 'source').split('/')
  const original = findInstance(server.state, text(source, 'project') || call.project, from)
  const snapshot = snapshotName === undefined ? null : findSnapshot(original, snapshotName)
  const settings = inheritedBy(body, snapshot?.settings ?? original, original)
  checkDevices(server, call.project, settings)
  const instance = addInstance(server, call.project, name, settings, original.type)
  if (snapshot === null)
    for (const [key, each] of original.snapshots) instance.snapshots.set(key, { ...each })
  const disk = snapshot?.disk ?? original.disk
  instance.busy = 'create'
  instance.disk = { ...newDisk(), held: 'half' }
  return server.operations.task(instanceOperation('Creating instance', instance), {
    ms: server.copyMs + copyingMs(server, original.pool, disk),
    end: () => {
      instance.busy = null
      instance.disk = takenFrom(server, original.pool, disk)
    },
  })
}

/** What the body doesn't name comes from the original, without what is its own; an empty value is none. */
function inheritedBy(body: Record<string, unknown>, from: Settings, { profiles }: Settings): Settings {
  const kept = Object.entries(from.config).filter(
    ([key]) => !key.startsWith('volatile.') || key === 'volatile.base_image',
  )
  const all = { ...Object.fromEntries(kept), ...config(body) }
  const settings: Settings = {
    ...from,
    profiles: strings(body, 'profiles') ?? profiles,
    config: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
    devices: { ...from.devices, ...devices(body) },
  }
  checkConfig(settings.config)
  return copySettings(settings)
}

/** An attached volume has to be there. */
function checkDevices({ state }: EmbeddedIncus, project: string, settings: Settings): void {
  for (const [name, device] of Object.entries(expand(state, project, settings).devices))
    if (device.type === 'disk' && device.pool !== undefined && device.source !== undefined) {
      const volumes = state.pools.get(device.pool)?.volumes
      if (volumes?.has(`${homeOf(state, project)}/${device.source}`) !== true)
        throw new Refusal(500, `Failed add validation for device "${name}": Storage volume not found`)
    }
}

/** A phantom copies "successfully" as nothing on dir; btrfs notices. */
function takenFrom(server: EmbeddedIncus, pool: string, disk: Disk): Disk {
  if (disk.held !== 'phantom') return { ...disk }
  if (findPool(server.state, pool).driver === 'btrfs') throw new Refusal(500, 'Not a Btrfs subvolume')
  return { ...disk, held: 'empty', marker: null }
}
