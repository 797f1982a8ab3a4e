/** What answers each product route, and what each asks of its caller: a route without a handler is a type error. */
import { type RouteName, routes } from '../../shared/incus/routes.ts'
import { checkAccess, mayUse, type Right } from './auth.ts'
import { createCopy, createEmpty } from './birth.ts'
import { field, record, section } from './body.ts'
import {
  createBucket,
  createBucketBackup,
  deleteBucket,
  deleteBucketBackup,
  exportBucketBackup,
  getBucket,
  listBucketKeys,
  listBuckets,
  patchBucket,
} from './buckets.ts'
import { receiveInstance, sendInstance, sendSnapshot } from './copies.ts'
import {
  createCustom,
  createCustomSnapshot,
  deleteCustom,
  deleteCustomSnapshot,
  getCustomSnapshot,
  patchCustom,
  patchCustomSnapshot,
  renameCustomSnapshot,
} from './custom.ts'
import { createCustomBackup, exportCustomBackup, getCustomState, importCustom } from './custom-backups.ts'
import { copyVolume, receiveVolume, sendVolume } from './custom-copies.ts'
import { restoreCustom } from './custom-restores.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { deleteExecOutput, execInstance, getExecOutput } from './execs.ts'
import { importBackup } from './imports.ts'
import { deleteInstance, getInstance, listInstances, patchInstance } from './instances.ts'
import { createBackup, exportBackup, getState } from './lab-instances.ts'
import { labRoutes } from './lab-routes.ts'
import { getPool, getPoolResources, listNetworks, listPools, listProfiles } from './lab-server.ts'
import { listOperations, view } from './operations.ts'
import { putOrRestore } from './restores.ts'
import { Router } from './router.ts'
import type { Answer, Call, EmbeddedIncus } from './server.ts'
import { getServer, listProjects } from './server-info.ts'
import { openFiles, openVolumeFiles } from './sftp.ts'
import {
  createSnapshot,
  deleteSnapshot,
  getSnapshot,
  listSnapshots,
  patchSnapshot,
  renameSnapshot,
} from './snapshots.ts'
import { putState } from './states.ts'
import { getVolume, listVolumeSnapshots, listVolumes } from './volumes.ts'

export type Handler = {
  right: Right
  answer: (server: EmbeddedIncus, call: Call) => Answer | Promise<Answer>
}

export const handlers: Record<RouteName, Handler> = {
  getServer: { right: 'open', answer: getServer },
  listProjects: { right: 'any', answer: listProjects },
  listInstances: { right: 'list', answer: listInstances },
  getInstance: { right: 'object', answer: getInstance },
  receiveInstance: { right: 'object', answer: createInstance },
  sendInstance: { right: 'object', answer: sendOrRename },
  markInstance: { right: 'object', answer: patchInstance },
  deleteInstance: { right: 'object', answer: deleteInstance },
  listSnapshots: { right: 'object', answer: listSnapshots },
  createSnapshot: { right: 'object', answer: createSnapshot },
  getSnapshot: { right: 'object', answer: getSnapshot },
  sendSnapshot: { right: 'object', answer: sendOrRenameSnapshot },
  patchSnapshot: { right: 'object', answer: patchSnapshot },
  deleteSnapshot: { right: 'object', answer: deleteSnapshot },
  restoreInstance: { right: 'object', answer: putOrRestore },
  startInstance: { right: 'object', answer: putState },
  execInstance: { right: 'object', answer: execInstance },
  getExecOutput: { right: 'object', answer: getExecOutput },
  deleteExecOutput: { right: 'object', answer: deleteExecOutput },
  getInstanceState: { right: 'object', answer: getState },
  createBackup: { right: 'object', answer: createBackup },
  exportBackup: { right: 'object', answer: exportBackup },
  openFiles: { right: 'object', answer: openFiles },
  listProfiles: { right: 'object', answer: listProfiles },
  listNetworks: { right: 'object', answer: listNetworks },
  getPool: { right: 'any', answer: getPool },
  getPoolResources: { right: 'any', answer: getPoolResources },
  listVolumes: { right: 'volumes', answer: listVolumes },
  getVolume: { right: 'object', answer: getVolume },
  listVolumeSnapshots: { right: 'object', answer: listVolumeSnapshots },
  listPools: { right: 'any', answer: listPools },
  deleteVolume: { right: 'object', answer: deleteCustom },
  sendVolume: { right: 'object', answer: sendVolume },
  receiveVolume: { right: 'object', answer: createVolume },
  restoreVolume: { right: 'object', answer: restoreCustom },
  markVolume: { right: 'object', answer: patchCustom },
  openVolumeFiles: { right: 'object', answer: openVolumeFiles },
  createVolumeSnapshot: { right: 'object', answer: createCustomSnapshot },
  getVolumeSnapshot: { right: 'object', answer: getCustomSnapshot },
  renameVolumeSnapshot: { right: 'object', answer: renameCustomSnapshot },
  patchVolumeSnapshot: { right: 'object', answer: patchCustomSnapshot },
  getVolumeState: { right: 'object', answer: getCustomState },
  createVolumeBackup: { right: 'object', answer: createCustomBackup },
  exportVolumeBackup: { right: 'object', answer: exportCustomBackup },
  deleteVolumeSnapshot: { right: 'object', answer: deleteCustomSnapshot },
  listBuckets: { right: 'volumes', answer: listBuckets },
  getBucket: { right: 'object', answer: getBucket },
  listBucketKeys: { right: 'object', answer: listBucketKeys },
  markBucket: { right: 'object', answer: patchBucket },
  receiveBucket: { right: 'object', answer: createBucket },
  createBucketBackup: { right: 'object', answer: createBucketBackup },
  exportBucketBackup: { right: 'object', answer: exportBucketBackup },
  deleteBucket: { right: 'object', answer: deleteBucket },
  deleteBucketBackup: { right: 'object', answer: deleteBucketBackup },
  listOperations: { right: 'list', answer: operations },
  getOperation: { right: 'any', answer: getOperation },
  waitOperation: { right: 'any', answer: waitOperation },
  cancelOperation: { right: 'any', answer: cancelOperation },
}

/** All routes of the product, and those of the lab that only tests use. */
export function createRouter(): Router<Handler> {
  const router = new Router<Handler>()
  for (const [name, { method, path }] of Object.entries(routes))
    router.add(method, path, handlers[name as RouteName])
  for (const { method, path, right, answer } of labRoutes) router.add(method, path, { right, answer })
  return router
}

/** The product receives copies, copies snapshots to export them, and sends exports back; the lab also makes empty instances. */
function createInstance(server: EmbeddedIncus, call: Call): Reply {
  if (call.upload !== undefined) return importBackup(server, call, call.upload)
  const type = section(record(call.body), 'source').type
  if (type === 'migration') return receiveInstance(server, call)
  if (type === 'none') return createEmpty(server, call)
  if (type === 'copy') return createCopy(server, call)
  throw new Refusal(400, `Unknown source type ${String(type)}`)
}

/** The product receives copies of volumes, makes new ones of snapshots, and sends exports back; the lab also makes empty ones. */
function createVolume(server: EmbeddedIncus, call: Call): Reply {
  if (call.upload !== undefined) return importCustom(server, call, call.upload)
  const { type } = section(record(call.body), 'source')
  if (type === 'copy') return copyVolume(server, call)
  return type === 'migration' ? receiveVolume(server, call) : createCustom(server, call)
}

function sendOrRename(server: EmbeddedIncus, call: Call): Reply {
  if (field(call.body, 'migration') === true) return sendInstance(server, call)
  throw new Refusal(501, 'the embedded Incus renames no instances')
}

function sendOrRenameSnapshot(server: EmbeddedIncus, call: Call): Reply {
  return field(call.body, 'migration') === true ? sendSnapshot(server, call) : renameSnapshot(server, call)
}

function operations(server: EmbeddedIncus, call: Call): Reply {
  const all = call.query['all-projects'] === 'true'
  if (all && call.query.project !== undefined)
    throw new Refusal(400, 'Cannot specify a project when requesting all projects')
  const visible = (project: string | null): boolean =>
    project === null || (mayUse(call.access, project) && (all || project === call.project))
  const recursion = call.query.recursion !== undefined && call.query.recursion !== '0'
  return sync(listOperations(server.operations.all(), visible, recursion))
}

/** Up to 6.0.5 any operation's id opens it. */
function checkOperation(server: EmbeddedIncus, call: Call): void {
  const { project } = server.operations.get(call.parameters.operation ?? '')
  if (server.face.keepsToItself && project !== null) checkAccess(call.access, 'object', project, false)
}

function getOperation(server: EmbeddedIncus, call: Call): Reply {
  checkOperation(server, call)
  return sync(view(server.operations.get(call.parameters.operation ?? '')))
}

/** Status and headers go out at once; whether it went well stands in the body alone. */
function waitOperation(server: EmbeddedIncus, call: Call): Answer {
  checkOperation(server, call)
  const { timeout = '-1' } = call.query
  const seconds = Number(timeout)
  if (timeout === '' || !Number.isInteger(seconds))
    throw new Refusal(500, `strconv.Atoi: parsing ${JSON.stringify(timeout)}: invalid syntax`)
  const later = server.operations.wait(call.parameters.operation ?? '', seconds)
  return { status: 200, body: null, later }
}

function cancelOperation(server: EmbeddedIncus, call: Call): Reply {
  checkOperation(server, call)
  server.operations.cancel(call.parameters.operation ?? '')
  return sync()
}
