/** Backups of custom volumes as files, and volumes that are made of such a file. */
import { parse } from 'yaml'
import { filesIn, volumeArchiveOf } from './archive.ts'
import { config, record, section, text } from './body.ts'
import { addCustom, customIn, findCustom, operationOnVolume } from './custom.ts'
import { forgetVolume } from './custom-transfer.ts'
import { never, parseDate } from './dates.ts'
import { Refusal, type Reply, sync } from './envelope.ts'
import { fileReply } from './lab-instances.ts'
import type { Call, EmbeddedIncus, Upload } from './server.ts'
import { copyingMs } from './snapshots.ts'
import { type Custom, findPool, findProject, stamp } from './state.ts'

export const getCustomState = (server: EmbeddedIncus, call: Call): Reply => {
  findCustom(server, call)
  return sync({ usage: server.face.nested ? { total: 0 } : null })
}

export function createCustomBackup(server: EmbeddedIncus, call: Call): Reply {
  const found = findCustom(server, call)
  const limits = findProject(server.state, found.project).config
  if (limits.restricted === 'true' && limits['restricted.backups'] !== 'allow')
    throw new Refusal(500, `Project "${found.project}" doesn't allow for backup creation`)
  const body = record(call.body)
  const name = text(body, 'name') || `backup${found.backups.size}`
  if (name.includes('/')) throw new Refusal(400, 'Backup names may not contain slashes')
  return server.operations.task(operationOnVolume('Creating custom volume backup', found, call), {
    begin: () => {
      if (found.backups.has(name))
        throw new Refusal(500, `Create volume backup: Backup "${found.name}/${name}" already exists`)
      if (found.content === 'iso' && !server.face.nested)
        throw new Refusal(500, 'Volume of content type "iso" cannot be backed up')
    },
    ms: server.snapshotMs,
    end: () => {
      if (findPool(server.state, found.pool).volumes.get(`${found.project}/${found.name}`) !== found)
        throw new Refusal(500, 'Create volume backup: Storage pool volume not found')
      const expires = parseDate(text(body, 'expires_at')) ?? never
      const file = volumeArchiveOf(found, findPool(server.state, found.pool).driver)
      const createdAt = stamp(server.now(), server.options.random)
      found.backups.set(name, { name, createdAt, expires, instanceOnly: true, file })
    },
  })
}

export function exportCustomBackup(server: EmbeddedIncus, call: Call): Reply {
  const backup = findCustom(server, call).backups.get(call.parameters.backup ?? '')
  if (backup === undefined) throw new Refusal(404, 'Storage volume backup not found')
  return fileReply(backup.file, call.range)
}

/** All by what the file says, its date included; it is listed while it is unpacked. */
export function importCustom(server: EmbeddedIncus, call: Call, upload: Upload): Reply {
  const { pool = '' } = call.parameters
  findPool(server.state, pool)
  const files = filesIn(upload.bytes)
  const index = files.get('backup/index.yaml')
  if (index === undefined) throw new Refusal(500, 'Unsupported compression')
  const described = section(section(record(parse(textOf(index))), 'config'), 'volume')
  const name = upload.name || text(described, 'name')
  const [folder, image] = [files.get('backup/volume/marker'), files.get('backup/volume.img')]
  const marker = folder ?? image
  const about = { project: call.project, pool, name } as Custom
  let made: Custom | null = null
  return server.operations.task(operationOnVolume('Restoring custom volume backup', about, call), {
    begin: () => {
      if (customIn(server, pool, call.project).some((one) => one.name === name))
        throw new Refusal(
          500,
          `Create custom volume from backup: Volume "${name}" already exists in pool "${pool}"`,
        )
      const content = (text(described, 'content_type') || 'filesystem') as Custom['content']
      const more = { content, description: text(described, 'description'), config: config(described) }
      made = addCustom(server, { pool, project: call.project, name }, more)
      made.createdAt = text(described, 'created_at')
      made.disk = { ...made.disk, held: 'empty' }
    },
    ms: server.copyMs + copyingMs(server, pool, { bytes: upload.bytes.length }),
    end: () => {
      if (made === null) return
      if (findPool(server.state, pool).full) {
        forgetVolume(server, made)
        throw new Refusal(500, 'Create custom volume from backup: No space left on device')
      }
      const bytes = upload.bytes.length
      made.disk = {
        ...{ ...made.disk, bytes, held: marker === undefined ? 'empty' : 'whole' },
        marker: marker === undefined ? null : textOf(marker),
      }
    },
  })
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
