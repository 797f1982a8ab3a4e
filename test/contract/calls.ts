/** What the suite asks over and over: instances, snapshots, and the end of operations. */

import {
  fullVolumeSchema,
  type Instance,
  instanceSchema,
  type Operation,
  operationSchema,
  type Snapshot,
  snapshotSchema,
  volumeSchema,
} from './model.ts'
import type { ContractInstance } from './server.ts'
import { type Reply, readMetadata, type Side } from './side.ts'

/** `project` absent means `default`, here as there. */
export const inProject = ({ project }: ContractInstance): Record<string, string> =>
  project === undefined ? {} : { project }

export async function readInstance(side: Side, it: ContractInstance): Promise<Instance> {
  const parameters = { instance: it.name }
  return readMetadata(await side.ask('getInstance', { parameters, query: inProject(it) }), instanceSchema)
}

export async function listSnapshots(side: Side, it: ContractInstance): Promise<Snapshot[]> {
  const query = { ...inProject(it), recursion: '1' }
  const reply = await side.ask('listSnapshots', { parameters: { instance: it.name }, query })
  return readMetadata(reply, snapshotSchema.array())
}

export async function snapshotNames(side: Side, it: ContractInstance): Promise<string[]> {
  return (await listSnapshots(side, it)).map(({ name }) => name).sort()
}

export async function exists(side: Side, it: ContractInstance): Promise<boolean> {
  const parameters = { instance: it.name }
  return (await side.ask('getInstance', { parameters, query: inProject(it) })).status === 200
}

export function readOperation(reply: Reply): Operation {
  return readMetadata(reply, operationSchema)
}

/** Waits for the end; the wait itself is a hint only, so the operation is read again after it. */
export async function settle(side: Side, started: Reply | Operation): Promise<Operation> {
  const { id } = 'id' in started ? started : readOperation(started)
  const parameters = { operation: id }
  await side.ask('waitOperation', { parameters })
  return readOperation(await side.ask('getOperation', { parameters }))
}

export async function succeed(side: Side, started: Reply | Operation): Promise<Operation> {
  const ended = await settle(side, started)
  if (ended.status_code !== 200) throw new Error(`${ended.description}: ${ended.status} ${ended.err}`)
  return ended
}

export function startSnapshot(side: Side, it: ContractInstance, name: string, more = {}): Promise<Reply> {
  const parameters = { instance: it.name }
  return side.ask('createSnapshot', { parameters, query: inProject(it), body: { name, ...more } })
}

export async function takeSnapshot(side: Side, it: ContractInstance, name: string, more = {}): Promise<void> {
  await succeed(side, await startSnapshot(side, it, name, more))
}

export function patchSnapshot(side: Side, it: ContractInstance, name: string, body: unknown): Promise<Reply> {
  const parameters = { instance: it.name, snapshot: name }
  return side.ask('patchSnapshot', { parameters, query: inProject(it), body })
}

export function startDelete(side: Side, it: ContractInstance, name: string): Promise<Reply> {
  const parameters = { instance: it.name, snapshot: name }
  return side.ask('deleteSnapshot', { parameters, query: inProject(it) })
}

export async function deleteSnapshot(side: Side, it: ContractInstance, name: string): Promise<void> {
  await succeed(side, await startDelete(side, it, name))
}

export function startRestore(side: Side, it: ContractInstance, name: string, more = {}): Promise<Reply> {
  const body = { restore: name, stateful: false, ...more }
  return side.ask('restoreInstance', { parameters: { instance: it.name }, query: inProject(it), body })
}

/** Of the volumes listing, whichever form it has: name and date to the nanosecond. */
export async function volumeDates(
  side: Side,
  it: ContractInstance,
  isNested: boolean,
): Promise<Map<string, string>> {
  const parameters = { pool: side.server.pool, type: 'container' }
  if (isNested) {
    const full = await side.ask('listVolumes', { parameters, query: { recursion: '2' } })
    const volumes = readMetadata(full, fullVolumeSchema.array())
    const { snapshots } = volumes.find(({ name }) => name === it.name) ?? {}
    return new Map(snapshots?.map(({ name, created_at }) => [name, created_at]))
  }
  const reply = await side.ask('listVolumes', { parameters, query: { recursion: '1' } })
  const rows = readMetadata(reply, volumeSchema.array())
  const own = rows.filter(({ name }) => name.startsWith(`${it.name}/`))
  return new Map(own.map(({ name, created_at }) => [name.slice(it.name.length + 1), created_at]))
}
