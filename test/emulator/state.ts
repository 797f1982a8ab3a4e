/** What a server stores: it survives a kill, unlike its operations. */

import type { Bucket } from './buckets.ts'
import { formatDate, type Moment } from './dates.ts'
import type { Overlay } from './disk-files.ts'
import { Refusal } from './envelope.ts'

export type Config = Record<string, string>
export type Devices = Record<string, Record<string, string>>

/**
 * What the pool really holds, which the API never tells: `phantom` is listed but has nothing on disk,
 * `empty` exists and holds nothing, `half` is neither what it was nor what a restore was to make of it.
 */
export type Disk = {
  held: 'whole' | 'empty' | 'phantom' | 'half'
  marker: string | null
  bytes: number
  /** Equal where nothing was written in between. */
  content: number
  /** What was written into it one by one. */
  files?: Overlay
}

/** What a snapshot freezes and a restore brings back, but for the profiles: those are always the instance's of now. */
export type Settings = {
  architecture: string
  description: string
  ephemeral: boolean
  profiles: string[]
  config: Config
  devices: Devices
}

export type Snapshot = {
  name: string
  /** Whole seconds since the epoch: with the name, what a refresh compares. */
  second: number
  /** As instance calls show it (cut to the second on a copy), and as the volumes listing does. */
  createdAt: string
  volumeCreatedAt: string
  expires: Moment
  stateful: boolean
  settings: Settings
  disk: Disk
  /** Of a stateful one: what the VM's memory held; absent: the file with it is gone. */
  memory?: string
  /** On record with the instance, and not among the volumes: a power cut can leave it so. */
  torn?: true
  /** Set while it is being made. */
  inMaking: boolean
}

export type Action = 'create' | 'migrate' | 'start' | 'stop' | 'restore' | 'delete'

export type Instance = Settings & {
  id: number
  project: string
  name: string
  type: 'container' | 'virtual-machine'
  status: 'Running' | 'Stopped' | 'Frozen'
  createdAt: string
  volumeCreatedAt: string
  lastUsedAt: string
  location: string
  pool: string
  disk: Disk
  /** What a running VM's memory holds, by a word; absent: it was booted and nothing happened in it yet. */
  memory?: string
  snapshots: Map<string, Snapshot>
  backups: Map<string, Backup>
  /** What commands in it have written, by the names of the files. */
  outputs: Map<string, Uint8Array>
  busy: Action | null
  /** Its first copy has not come to its end, and perhaps never will. */
  unfinished: boolean
  /** Somebody's mount lies on its volume, which can't be removed below it. */
  mounted: boolean
}

export type Backup = {
  name: string
  createdAt: string
  expires: Moment
  instanceOnly: boolean
  file: Uint8Array
}

export type Profile = { name: string; description: string; config: Config; devices: Devices }

type Project = {
  name: string
  description: string
  config: Config
  instances: Map<string, Instance>
  profiles: Map<string, Profile>
}

/** zfs restores nothing but the newest snapshot, lvm without a thin pool none; in all else they are as dir. */
export type Driver = 'btrfs' | 'dir' | 'zfs' | 'lvm'

export type CustomSnapshot = {
  name: string
  createdAt: string
  expires: Moment
  description: string
  config: Config
  disk: Disk
  inMaking: boolean
}

export type Custom = {
  project: string
  pool: string
  name: string
  content: 'filesystem' | 'block' | 'iso'
  description: string
  config: Config
  createdAt: string
  location: string
  disk: Disk
  snapshots: Map<string, CustomSnapshot>
  backups: Map<string, Backup>
}

/** `volumes`: custom ones, by `project/name`. */
export type Pool = {
  name: string
  driver: Driver
  config: Config
  full: boolean
  volumes: Map<string, Custom>
  /** Likewise. */
  buckets: Map<string, Bucket>
  /** `project/instance` of folders that a killed server has left, and that no listing shows. */
  orphans: Set<string>
}

export type State = {
  projects: Map<string, Project>
  pools: Map<string, Pool>
  lastInstance: number
}

const emptyProfile = (): Profile => ({ name: 'default', description: '', config: {}, devices: {} })

export function newProject(name: string, config: Config, description = ''): Project {
  const profiles = new Map([['default', emptyProfile()]])
  return { name, description, config, instances: new Map(), profiles }
}

const FEATURES: Config = {
  'features.images': 'true',
  'features.networks': 'true',
  'features.networks.zones': 'true',
  'features.profiles': 'true',
  'features.storage.buckets': 'true',
  'features.storage.volumes': 'true',
}

export function newState(driver: Driver): State {
  const project = newProject('default', { ...FEATURES }, 'Default Incus project')
  const root = { type: 'disk', path: '/', pool: 'default' }
  project.profiles.set('default', { ...emptyProfile(), devices: { root } })
  return {
    projects: new Map([['default', project]]),
    pools: new Map([
      [
        'default',
        {
          name: 'default',
          driver,
          config: {},
          full: false,
          volumes: new Map(),
          buckets: new Map(),
          orphans: new Set(),
        },
      ],
    ]),
    lastInstance: 0,
  }
}

export function findProject(state: State, name: string): Project {
  const project = state.projects.get(name)
  if (project === undefined) throw new Refusal(404, 'Project not found')
  return project
}

export function findInstance(state: State, project: string, name: string): Instance {
  const found = findProject(state, project).instances.get(name)
  if (found === undefined)
    throw new Refusal(404, `Failed to fetch instance "${name}" in project "${project}": Instance not found`)
  return found
}

export function findSnapshot(instance: Instance, name: string): Snapshot {
  const found = instance.snapshots.get(name)
  if (found !== undefined) return found
  throw new Refusal(
    404,
    `Failed to fetch snapshot "${name}" of instance "${instance.name}" in project "${instance.project}": Instance_snapshot not found`,
  )
}

export function findPool(state: State, name: string): Pool {
  const pool = state.pools.get(name)
  if (pool === undefined) throw new Refusal(404, 'Storage pool not found')
  return pool
}

/** Where a project's volumes are: in `default`, if it has none of its own. */
export const homeOf = (state: State, project: string): string =>
  state.projects.get(project)?.config['features.storage.volumes'] === 'false' ? 'default' : project

/** A project without profiles of its own uses those of `default`. */
export function profilesOf(state: State, project: string): Map<string, Profile> {
  const own = findProject(state, project)
  return own.config['features.profiles'] === 'false' ? findProject(state, 'default').profiles : own.profiles
}

export function expand(
  state: State,
  project: string,
  settings: Settings,
): { config: Config; devices: Devices } {
  const profiles = profilesOf(state, project)
  const config: Config = {}
  const devices: Devices = {}
  for (const name of settings.profiles) {
    const profile = profiles.get(name)
    if (profile === undefined) throw new Refusal(500, `Requested profile "${name}" doesn't exist`)
    Object.assign(config, profile.config)
    Object.assign(devices, profile.devices)
  }
  return { config: Object.assign(config, settings.config), devices: Object.assign(devices, settings.devices) }
}

/** The pool of the root disk; one that doesn't exist silently gives way to the profile's. */
export function rootPool(state: State, project: string, settings: Settings): string {
  const root = (devices: Devices): string | undefined =>
    Object.values(devices).find((device) => device.type === 'disk' && device.path === '/')?.pool
  const asked = root(expand(state, project, settings).devices)
  if (asked !== undefined && state.pools.has(asked)) return asked
  const fallback = root(expand(state, project, { ...settings, devices: {} }).devices)
  if (fallback !== undefined && state.pools.has(fallback)) return fallback
  throw new Refusal(
    500,
    'Failed initializing instance: Failed getting root disk: No root device could be found',
  )
}

export const copySettings = (settings: Settings): Settings => ({
  architecture: settings.architecture,
  description: settings.description,
  ephemeral: settings.ephemeral,
  profiles: [...settings.profiles],
  config: { ...settings.config },
  devices: structuredClone(settings.devices),
})

/** `/1.0/instances/web1?project=p`: percent-encoded in resources, raw in lists. */
export function instanceUrl(project: string, path: string): string {
  return project === 'default' ? `/1.0/instances/${path}` : `/1.0/instances/${path}?project=${project}`
}

/** Of what was being written when its daemon died. */
export const cutOff = (disk: Disk): Disk => ({ ...disk, held: 'empty', marker: null })

export const newDisk = (): Disk => ({ held: 'whole', marker: null, bytes: 0, content: 0 })

/** Now, with the nanoseconds that a real clock would have. */
export const stamp = (now: number, random: () => number): string =>
  formatDate(now, Math.floor(random() * 1e6))
