import { mayUse } from './auth.ts'
import { config, devices, record } from './body.ts'
import { unread } from './channels.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { checkMatch } from './etag.ts'
import { checkExpiry } from './expiry.ts'
import { matcher } from './filter.ts'
import { checkSchedule } from './schedule.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { busyText, reachable, viewSnapshot } from './snapshots.ts'
import {
  type Config,
  expand,
  findInstance,
  findProject,
  type Instance,
  instanceUrl,
  type Settings,
  type State,
} from './state.ts'

const CODES = { Running: 103, Stopped: 102, Frozen: 110, Error: 112 }

/** The instances a list is about: of one project, or of all that the caller may see. */
export function listed(server: EmbeddedIncus, call: Call): Instance[] {
  const all = call.query['all-projects'] === 'true'
  if (all && call.query.project !== undefined)
    throw new Refusal(400, 'Cannot specify a project when requesting all projects')
  const found: Instance[] = []
  for (const project of server.state.projects.values()) {
    if (mayUse(call.access, project.name) && (all || project.name === call.project))
      found.push(...project.instances.values())
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** An unknown project has an empty list, not an error. */
export function listInstances(server: EmbeddedIncus, call: Call): Reply {
  const { recursion = '0', filter } = call.query
  const found = listed(server, call)
  if (recursion === '0' && filter === undefined)
    return sync(found.map(({ project, name }) => instanceUrl(project, name)))
  const rows = found.map((instance) => viewInstance(server, instance, recursion !== '0' && recursion !== '1'))
  const matching = filter === undefined ? rows : rows.filter(matcher(filter))
  return sync(
    recursion === '0' ? matching.map((row) => instanceUrl(String(row.project), String(row.name))) : matching,
  )
}

export function getInstance(server: EmbeddedIncus, call: Call): Reply {
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  const full = call.query.recursion !== undefined && call.query.recursion !== '0'
  return sync(viewInstance(server, instance, full), tagOf(instance))
}

/** `full` adds backups, state and snapshots; nothing there and nobody there are both null. */
function viewInstance(server: EmbeddedIncus, instance: Instance, full: boolean): Record<string, unknown> {
  if (server.lostMembers.has(instance.location)) return viewLost(instance, full)
  const expanded = expand(server.state, instance.project, instance)
  const { status } = instance
  const view: Record<string, unknown> = {
    name: instance.name,
    project: instance.project,
    type: instance.type,
    status,
    status_code: CODES[status],
    location: instance.location,
    created_at: instance.createdAt,
    last_used_at: instance.lastUsedAt,
    description: instance.description,
    architecture: instance.architecture,
    ephemeral: instance.ephemeral,
    stateful: false,
    profiles: [...instance.profiles],
    config: { ...instance.config },
    devices: { ...instance.devices },
    expanded_config: expanded.config,
    expanded_devices: expanded.devices,
  }
  return full ? Object.assign(view, details(server.state, instance)) : view
}

/** Of one on a member that can't be reached the others know hardly more than its name. */
const viewLost = ({ name, project, type, location }: Instance, full: boolean): Record<string, unknown> => ({
  ...{ name, project, type, location, status: 'Error', status_code: CODES.Error },
  ...{ created_at: NEVER, last_used_at: NEVER, description: '', architecture: '' },
  ...{ ephemeral: false, stateful: false, profiles: null, config: null, devices: null },
  ...(full ? UNREACHABLE : {}),
})

const NEVER = '0001-01-01T00:00:00Z'

const UNREACHABLE = { backups: null, state: null, snapshots: null }

function details(state: State, instance: Instance): Record<string, unknown> {
  const snapshots = [...instance.snapshots.values()].map((snapshot) =>
    viewSnapshot(state, instance, snapshot),
  )
  const backups = [...instance.backups.values()]
  return {
    backups:
      backups.length === 0 ? null : backups.map(({ name, createdAt }) => ({ name, created_at: createdAt })),
    state: viewState(instance),
    snapshots: snapshots.length === 0 ? null : snapshots,
  }
}

export const viewState = (instance: Instance): Record<string, unknown> => ({
  status: instance.status,
  status_code: CODES[instance.status],
  disk: {},
  memory: { usage: 0, usage_peak: 0, total: 0, swap_usage: 0, swap_usage_peak: 0 },
  network: null,
  pid: instance.status === 'Stopped' ? 0 : 1000 + instance.id,
  processes: instance.status === 'Stopped' ? 0 : 2,
  cpu: { usage: 0 },
})

const tagOf = ({ architecture, config, devices, ephemeral, profiles }: Settings): unknown => [
  architecture,
  config,
  devices,
  ephemeral,
  profiles,
]

/**
 * Sync, unlike PUT. A key is unset by the empty string. On the target of a copy under way it goes through,
 * and lifts the lock with which the copy protects it.
 */
export function patchInstance(server: EmbeddedIncus, call: Call): Reply {
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  const body = record(call.body)
  checkMatch(call.ifMatch, tagOf(instance))
  const wanted = config(body)
  checkConfig(wanted)
  if (instance.busy === 'create') instance.busy = null
  checkIdle(instance, 'update')
  for (const [key, value] of Object.entries(wanted)) {
    if (value === '') delete instance.config[key]
    else instance.config[key] = value
  }
  Object.assign(instance.devices, devices(body))
  server.scheduler.configChanged()
  return sync()
}

/** Replaces what stands in the body, or restores a snapshot. */
export function putInstance(server: EmbeddedIncus, call: Call): Reply {
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  const body = record(call.body)
  checkMatch(call.ifMatch, tagOf(instance))
  const wanted = config(body)
  checkConfig(wanted)
  const profiles = Array.isArray(body.profiles) ? body.profiles.map(String) : instance.profiles
  expand(server.state, instance.project, { ...instance, profiles })
  return server.operations.task(instanceOperation('Updating instance', instance), {
    end: () => {
      Object.assign(instance, { profiles, config: wanted, devices: devices(body) })
      server.scheduler.configChanged()
    },
  })
}

const KNOWN_KEYS =
  /^(user|volatile|limits|security|boot|migration|raw|environment|cloud-init|cluster|image|linux|nvidia)\.|^snapshots\.(schedule|schedule\.stopped|pattern|expiry)$/

export function checkConfig(wanted: Config): void {
  const stranger = Object.keys(wanted).find((key) => !KNOWN_KEYS.test(key))
  if (stranger !== undefined) throw new Refusal(500, `Invalid config: Unknown configuration key: ${stranger}`)
  if (wanted['snapshots.schedule']) checkSchedule(wanted['snapshots.schedule'])
  if (wanted['snapshots.expiry']) checkExpiry(wanted['snapshots.expiry'])
}

export function deleteInstance(server: EmbeddedIncus, call: Call): Reply {
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  if (instance.status !== 'Stopped') throw new Refusal(400, 'Instance is running')
  return server.operations.task(instanceOperation('Deleting instance', instance), {
    hold: (go) => unread(server, instance, go),
    begin: () => checkDeletable(server, instance),
    end: () => {
      // Its snapshots and its data are gone by then.
      if (instance.mounted) {
        instance.snapshots.clear()
        for (const transfer of [...server.transfers])
          if (transfer.target.instance === instance) transfer.fail('Rsync receive failed')
        throw new Refusal(500, stillMounted(instance.name))
      }
      findProject(server.state, instance.project).instances.delete(instance.name)
    },
  })
}

const stillMounted = (name: string): string =>
  `Error deleting storage volume: Failed to remove '/var/lib/incus/storage-pools/default/containers/${name}': unlinkat /var/lib/incus/storage-pools/default/containers/${name}: device or resource busy`

function checkDeletable(server: EmbeddedIncus, instance: Instance): void {
  checkIdle(instance, 'delete')
  if (expand(server.state, instance.project, instance).config['security.protection.delete'] === 'true')
    throw new Refusal(500, 'Instance is protected')
  const { driver } = server.state.pools.get(instance.pool) ?? {}
  if (driver === 'btrfs' && instance.disk.held === 'phantom')
    throw new Refusal(500, `Failed deleting instance "${instance.name}": Not a Btrfs subvolume`)
}

/** One thing at a time: start, stop, restore and delete give way to what runs. */
export function checkIdle(instance: Instance, action: string): void {
  if (instance.busy === null) return
  throw new Refusal(500, `Failed to create instance ${action} operation: ${busyText(instance.busy)}`)
}

export const instanceOperation = (description: string, instance: Instance) => ({
  description,
  project: instance.project,
  location: instance.location,
  resources: { instances: [instanceUrl(instance.project, instance.name)] },
})
