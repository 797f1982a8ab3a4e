/** Calls that only tests make, to find out the truth: state and exports. */

import { archiveOf } from './archive.ts'
import { record, text } from './body.ts'
import { never, parseDate } from './dates.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { instanceOperation, viewState } from './instances.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { reachable } from './snapshots.ts'
import { findInstance, findPool, findProject, type Instance, stamp } from './state.ts'

const target = (server: EmbeddedIncus, call: Call): Instance =>
  reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))

export const getState = (server: EmbeddedIncus, call: Call): Reply => sync(viewState(target(server, call)))

/** The one call that notices a phantom. */
export function createBackup(server: EmbeddedIncus, call: Call): Reply {
  const instance = target(server, call)
  const { config, name: project } = findProject(server.state, instance.project)
  if (config.restricted === 'true' && config['restricted.backups'] !== 'allow')
    throw new Refusal(500, `Project "${project}" doesn't allow for backup creation`)
  const body = record(call.body)
  const name = text(body, 'name') || `backup${instance.backups.size}`
  if (name.includes('/')) throw new Refusal(400, 'Backup names may not contain slashes')
  const instanceOnly = body.instance_only === true
  const operation = instanceOperation('Backing up instance', instance)
  const backups = [`${operation.resources.instances[0]}/backups/${name}`]
  return server.operations.task(
    { ...operation, resources: { ...operation.resources, backups } },
    {
      begin: () => checkBackup(server, instance, name, instanceOnly),
      ms: server.snapshotMs,
      end: () => {
        const createdAt = stamp(server.now(), server.options.random)
        const expires = parseDate(text(body, 'expires_at')) ?? never
        const file = archiveOf(instance, findPool(server.state, instance.pool).driver)
        instance.backups.set(name, { name, createdAt, expires, instanceOnly, file })
      },
    },
  )
}

const FILE = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' }

/** From some byte on, where that is asked for. */
export function exportBackup(server: EmbeddedIncus, call: Call): Reply {
  const instance = target(server, call)
  const backup = instance.backups.get(call.parameters.backup ?? '')
  if (backup === undefined) throw new Refusal(404, 'Instance backup not found')
  return fileReply(backup.file, call.range)
}

export function fileReply(file: Uint8Array, asked: string | undefined): Reply {
  const from = Number(/^bytes=(\d+)-$/.exec(asked ?? '')?.[1] ?? 0)
  if (asked === undefined) return { status: 200, body: null, headers: FILE, file }
  const range = `bytes ${from}-${file.length - 1}/${file.length}`
  return { status: 206, body: null, headers: { ...FILE, 'content-range': range }, file: file.subarray(from) }
}

/** The check of the name ignores projects: a bug that is still there upstream. */
function checkBackup(server: EmbeddedIncus, instance: Instance, name: string, instanceOnly: boolean): void {
  for (const { instances } of server.state.projects.values()) {
    if (instances.get(instance.name)?.backups.has(name) === true)
      throw new Refusal(500, `Create backup: Backup "${instance.name}/${name}" already exists`)
  }
  const phantom = [...instance.snapshots.values()].find(({ disk }) => disk.held === 'phantom')
  if (phantom !== undefined && !instanceOnly)
    throw new Refusal(
      500,
      `Create backup: Backup create: Snapshot "${phantom.name}" expected but not in storage`,
    )
}

export function listBackups(server: EmbeddedIncus, call: Call): Reply {
  const rows = [...target(server, call).backups.values()].map(
    ({ name, createdAt, expires, instanceOnly }) => ({
      name,
      created_at: createdAt,
      expires_at: expires.text,
      instance_only: instanceOnly,
      optimized_storage: false,
    }),
  )
  const base = `/1.0/instances/${call.parameters.instance}/backups`
  return sync(call.query.recursion === '1' ? rows : rows.map(({ name }) => `${base}/${name}`))
}

export function deleteBackup(server: EmbeddedIncus, call: Call): Reply {
  const instance = target(server, call)
  const name = call.parameters.backup ?? ''
  if (!instance.backups.has(name)) throw new Refusal(404, 'Instance backup not found')
  return server.operations.task(instanceOperation('Removing instance backup', instance), {
    end: () => {
      instance.backups.delete(name)
    },
  })
}
