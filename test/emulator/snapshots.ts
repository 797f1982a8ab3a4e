import { field, record, text } from './body.ts'
import { unread } from './channels.ts'
import { formatDate, type Moment, never, parseDate } from './dates.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { checkMatch } from './etag.ts'
import { expiryFrom } from './expiry.ts'
import { freeze, isFreezing } from './freezing.ts'
import { nameFromPattern } from './names.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import {
  copySettings,
  type Disk,
  expand,
  findInstance,
  findPool,
  findProject,
  findSnapshot,
  type Instance,
  instanceUrl,
  type Snapshot,
  type State,
  stamp,
} from './state.ts'

/** A name that is still free when asked may be taken when the operation begins: only one of several wins. */
export function createSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const body = record(call.body)
  const instance = findInstance(server.state, call.project, call.parameters.instance ?? '')
  checkAllowed(server, instance, body.stateful === true)
  const expires = expiryOf(body.expires_at) ?? defaultExpiry(server, instance)
  const name = text(body, 'name') || unnamed(server, instance)
  server.face.checkSnapshotName(name)
  return snapshotTask(server, instance, { name, expires, stateful: body.stateful === true }, call.project)
}

/** `project` is null when the daemon's own scheduler does it. */
export function snapshotTask(
  server: EmbeddedIncus,
  instance: Instance,
  wanted: { name: string; expires: Moment; stateful: boolean },
  project: string | null,
): Reply {
  const path = `${instance.name}/snapshots/${encodeURIComponent(wanted.name)}`
  let made: Snapshot | null = null
  let thaw = (): void => {}
  return server.operations.task(
    {
      description: 'Snapshotting instance',
      project,
      location: instance.location,
      resources: {
        instances: [instanceUrl(instance.project, instance.name)],
        instances_snapshots: [instanceUrl(instance.project, path)],
      },
    },
    {
      hold: (go) => unread(server, instance, go),
      begin: () => {
        made = beginSnapshot(server, instance, wanted)
        if (isFreezing(server, instance)) thaw = freeze(instance)
      },
      ms: server.snapshotMs + copyingMs(server, instance.pool, instance.disk),
      end: () => {
        thaw()
        if (made !== null) endSnapshot(server, instance, made)
      },
    },
  )
}

/** On dir all bytes are copied, as fast as transfers go; other drivers only refer to what is there. */
export function copyingMs(
  { state, bandwidth }: EmbeddedIncus,
  pool: string,
  disk?: Pick<Disk, 'bytes'>,
): number {
  if (bandwidth === null || findPool(state, pool).driver !== 'dir') return 0
  return ((disk?.bytes ?? 0) / bandwidth) * 1000
}

/** The record appears at once, in all listings; its data come with the end. */
function beginSnapshot(
  server: EmbeddedIncus,
  instance: Instance,
  { name, expires, stateful }: { name: string; expires: Moment; stateful: boolean },
): Snapshot {
  if (name.includes(' '))
    throw new Refusal(400, 'Invalid snapshot name: Cannot contain space or / characters')
  if (instance.unfinished) throw new Refusal(404, server.face.unfinished(instance.name))
  const taken = instance.snapshots.get(name)
  if (taken?.inMaking === true) throw new Refusal(500, busyText('create'))
  if (taken !== undefined) throw new Refusal(500, duplicateText(name, server))
  const now = server.now()
  const createdAt = stamp(now, server.options.random)
  const made: Snapshot = {
    name,
    second: Math.floor(now / 1000),
    createdAt,
    volumeCreatedAt: createdAt,
    expires,
    stateful,
    settings: copySettings(instance),
    disk: { ...instance.disk, held: 'phantom' },
    inMaking: true,
  }
  instance.snapshots.set(name, made)
  return made
}

function endSnapshot(server: EmbeddedIncus, instance: Instance, made: Snapshot): void {
  if (findPool(server.state, instance.pool).full) {
    instance.snapshots.delete(made.name)
    throw new Refusal(500, `Create instance snapshot: Failed to copy: No space left on device`)
  }
  made.disk = { ...instance.disk }
  if (made.stateful) made.memory = instance.memory ?? ''
  made.inMaking = false
  server.scheduler.expects(made.expires)
}

/** What Incus says of an instance whose snapshots aren't all among the volumes. */
export const UNEVEN = "Instance snapshot record count doesn't match instance snapshot volume record count"

export const busyText = (action: string): string => `Instance is busy running a "${action}" operation`

const duplicateText = (name: string, { face }: EmbeddedIncus): string =>
  `Failed creating instance snapshot record "${name}": Add snapshot info to the database: ${face.takenSnapshot}`

function checkAllowed(server: EmbeddedIncus, instance: Instance, stateful: boolean): void {
  const { config, name } = findProject(server.state, instance.project)
  if (config.restricted === 'true' && config['restricted.snapshots'] !== 'allow')
    throw new Refusal(500, `Project "${name}" doesn't allow for snapshot creation`)
  if (stateful && expand(server.state, instance.project, instance).config['migration.stateful'] !== 'true')
    throw new Refusal(
      500,
      'Stateful snapshots require that the instance has migration.stateful be set to true',
    )
  if (stateful && instance.type === 'container')
    throw new Refusal(500, "Unable to create a stateful snapshot. CRIU isn't installed")
  if (stateful && instance.status !== 'Running')
    throw new Refusal(500, "Unable to create a stateful snapshot. The instance isn't running")
  if (server.lostMembers.has(instance.location)) throw new Refusal(500, "Server isn't ready yet")
}

/** Null when the body leaves it open. */
function expiryOf(value: unknown): Moment | null {
  if (value === undefined || value === null) return null
  const moment = typeof value === 'string' ? parseDate(value) : null
  if (moment !== null) return moment
  const shown = JSON.stringify(value)
  throw new Refusal(
    400,
    `parsing time ${shown} as "2006-01-02T15:04:05Z07:00": cannot parse ${shown} as "2006"`,
  )
}

export function defaultExpiry(server: EmbeddedIncus, instance: Instance): Moment {
  const expression = expand(server.state, instance.project, instance).config['snapshots.expiry']
  if (expression === undefined || expression === '') return never
  const ms = expiryFrom(server.now(), expression)
  return { ms, text: formatDate(ms) }
}

export function unnamed(server: EmbeddedIncus, instance: Instance): string {
  const pattern = expand(server.state, instance.project, instance).config['snapshots.pattern']
  return nameFromPattern(pattern || 'snap%d', server.now(), instance.snapshots)
}

/** The raw name stands in listed URLs; an unknown instance has an empty list, but no objects. */
export function listSnapshots(server: EmbeddedIncus, call: Call): Reply {
  const name = call.parameters.instance ?? ''
  if (call.query.recursion === undefined || call.query.recursion === '0') {
    const found = server.state.projects.get(call.project)?.instances.get(name)
    const names = [...(found?.snapshots.keys() ?? [])]
    return sync(names.map((snapshot) => instanceUrl(call.project, `${name}/snapshots/${snapshot}`)))
  }
  const instance = findInstance(server.state, call.project, name)
  return sync(
    [...reachable(server, instance).snapshots.values()].map((each) =>
      viewSnapshot(server.state, instance, each),
    ),
  )
}

/** A member that is down answers for none of its instances. */
export function reachable(server: EmbeddedIncus, instance: Instance): Instance {
  if (server.lostMembers.has(instance.location)) throw new Refusal(500, "Server isn't ready yet")
  return instance
}

const target = (server: EmbeddedIncus, call: Call): [Instance, Snapshot] => {
  const found = findInstance(server.state, call.project, call.parameters.instance ?? '')
  const instance = reachable(server, found)
  return [instance, findSnapshot(instance, call.parameters.snapshot ?? '')]
}

export function getSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [instance, snapshot] = target(server, call)
  return sync(viewSnapshot(server.state, instance, snapshot), snapshot.expires.text)
}

/** Only the expiry can be edited; null or a missing one is a success that changes nothing. */
export function patchSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [instance, snapshot] = target(server, call)
  const expires = expiryOf(field(call.body, 'expires_at'))
  checkMatch(call.ifMatch, snapshot.expires.text)
  return server.operations.task(snapshotOperation('Updating snapshot', instance, snapshot), {
    end: () => {
      if (expires === null) return
      snapshot.expires = expires
      server.scheduler.expects(expires)
    },
  })
}

/** In an instance whose first copy never ended the deletion is done and called a failure. */
export function deleteSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [instance, snapshot] = target(server, call)
  return server.operations.task(snapshotOperation('Deleting snapshot', instance, snapshot), {
    end: () => {
      removeSnapshot(instance, snapshot)
      if (snapshot.torn === true) throw new Refusal(500, UNEVEN)
      if (instance.unfinished) throw new Refusal(404, server.face.unfinished(instance.name))
    },
  })
}

export function removeSnapshot(instance: Instance, snapshot: Snapshot): void {
  if (instance.snapshots.get(snapshot.name) !== snapshot)
    throw new Refusal(404, `Snapshot ${instance.name}/${snapshot.name} does not exist`)
  instance.snapshots.delete(snapshot.name)
}

export function renameSnapshot(server: EmbeddedIncus, call: Call): Reply {
  const [instance, snapshot] = target(server, call)
  const name = text(record(call.body), 'name')
  server.face.checkSnapshotName(name)
  if (instance.snapshots.has(name)) throw new Refusal(409, `Name '${instance.name}/${name}' already in use`)
  return server.operations.task(snapshotOperation('Renaming snapshot', instance, snapshot), {
    end: () => {
      instance.snapshots.delete(snapshot.name)
      snapshot.name = name
      instance.snapshots.set(name, snapshot)
    },
  })
}

const snapshotOperation = (description: string, instance: Instance, snapshot: Snapshot) => ({
  description,
  project: instance.project,
  location: instance.location,
  resources: {
    instances: [instanceUrl(instance.project, instance.name)],
    instances_snapshots: [
      instanceUrl(instance.project, `${instance.name}/snapshots/${encodeURIComponent(snapshot.name)}`),
    ],
  },
})

export function viewSnapshot(state: State, instance: Instance, snapshot: Snapshot): Record<string, unknown> {
  const settings = { ...snapshot.settings, profiles: instance.profiles }
  const expanded = expand(state, instance.project, settings)
  return {
    name: snapshot.name,
    created_at: snapshot.createdAt,
    expires_at: snapshot.expires.text,
    last_used_at: never.text,
    stateful: snapshot.stateful,
    size: -1,
    architecture: settings.architecture,
    ephemeral: settings.ephemeral,
    profiles: [...settings.profiles],
    config: { ...settings.config },
    devices: { ...settings.devices },
    expanded_config: expanded.config,
    expanded_devices: expanded.devices,
  }
}
