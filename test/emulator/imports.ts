/** An instance that is made of a file which somebody sends: all by what the file says, which comes to be once it is unpacked. */
import { parse } from 'yaml'
import { filesIn } from './archive.ts'
import { addInstance } from './birth.ts'
import { config, devices, record, section, strings, text } from './body.ts'
import { Refusal, type Reply } from './envelope.ts'
import { instanceOperation } from './instances.ts'
import { checkInstanceName } from './names.ts'
import type { Call, EmbeddedIncus, Upload } from './server.ts'
import { copyingMs } from './snapshots.ts'
import { findPool, findProject, type Instance, newDisk, rootPool, type Settings } from './state.ts'

export function importBackup(server: EmbeddedIncus, call: Call, upload: Upload): Reply {
  const files = filesIn(upload.bytes)
  const index = files.get('backup/index.yaml')
  if (index === undefined) throw new Refusal(500, 'Unsupported compression')
  const { name: given, type } = record(read(index))
  const name = upload.name || String(given)
  checkInstanceName(name)
  if (upload.pool !== '' && !server.state.pools.has(upload.pool))
    throw new Refusal(500, 'Storage pool not found: Storage pool not found')
  const base = type === 'virtual-machine' ? 'backup/virtual-machine' : 'backup/container'
  const marker = files.get(`${base}/rootfs/marker`)
  const held = { bytes: upload.bytes.length, marker: marker === undefined ? null : textOf(marker) }
  const disk = { ...newDisk(), ...held, held: marker === undefined ? ('empty' as const) : ('whole' as const) }
  const pool = upload.pool === '' ? rootPool(server.state, call.project, NONE) : upload.pool
  const folder = `${call.project}/${name}`
  const about = { project: call.project, name, location: 'none' } as Instance
  return server.operations.task(instanceOperation('Restoring backup', about), {
    begin: () => {
      if (findPool(server.state, pool).full) throw new Refusal(500, 'No space left on device')
      const { orphans } = findPool(server.state, pool)
      if (findProject(server.state, call.project).instances.has(name) || orphans.has(folder))
        throw new Refusal(500, 'Create instance from backup: Cannot restore volume, already exists on target')
      // It stays if the server is killed now.
      orphans.add(folder)
    },
    ms: server.copyMs + copyingMs(server, pool, disk),
    end: () => {
      findPool(server.state, pool).orphans.delete(folder)
      const details = record(read(files.get(`${base}/backup.yaml`) ?? new Uint8Array()))
      const container = section(details, 'container')
      for (const profile of strings(container, 'profiles') ?? [])
        if (!findProject(server.state, 'default').profiles.has(profile))
          throw new Refusal(500, 'Failed importing backup: Profile not found')
      const kind = container.type === 'virtual-machine' ? container.type : 'container'
      const made = addInstance(server, call.project, name, settingsIn(container), kind)
      Object.assign(made, { disk, pool })
    },
  })
}

const NONE: Settings = {
  ...{ architecture: '', description: '', ephemeral: false, profiles: ['default'], config: {}, devices: {} },
}

const settingsIn = (container: Record<string, unknown>): Settings => ({
  architecture: text(container, 'architecture'),
  description: text(container, 'description'),
  ephemeral: container.ephemeral === true,
  profiles: strings(container, 'profiles') ?? [],
  config: config(container),
  devices: devices(container),
})

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const read = (bytes: Uint8Array): unknown => parse(textOf(bytes))
