/** The file that a backup of an instance is: a tar as Incus makes it, with a disk of a few kilobytes. */
import { stringify } from 'yaml'
import type { Custom, Instance } from './state.ts'

const BLOCK = 512

/** Bytes of its disk that are in it. */
const MOST = 64 * 1024

type Described = Pick<Instance, 'name' | 'type' | 'disk' | 'config'> & Partial<Instance>

export function archiveOf(instance: Described, driver: string): Uint8Array {
  const { name, type, disk } = instance
  const base = type === 'container' ? 'backup/container' : 'backup/virtual-machine'
  const details = detailsOf(instance, driver)
  const index = {
    ...{
      name,
      backend: driver,
      pool: instance.pool ?? 'default',
      optimized: false,
      optimized_header: false,
      type,
    },
    config: details,
  }
  const data = Buffer.alloc(Math.min(disk.bytes, MOST), 'd')
  const held: [string, Uint8Array][] =
    disk.held === 'whole'
      ? [
          [`${base}/rootfs/marker`, Buffer.from(disk.marker ?? '')],
          [`${base}/rootfs/data`, data],
        ]
      : []
  return Buffer.concat([
    entry('backup/index.yaml', Buffer.from(yaml(index))),
    entry(`${base}/backup.yaml`, Buffer.from(yaml(details))),
    ...held.map(([path, bytes]) => entry(path, bytes)),
    Buffer.alloc(2 * BLOCK),
  ])
}

/** Likewise of a custom volume, which is described in the index alone. */
export function volumeArchiveOf(volume: Custom, driver: string): Uint8Array {
  const { name, pool, disk, content, config, description, createdAt, project } = volume
  const index = {
    ...{ name, backend: driver, pool, optimized: false, optimized_header: false, type: 'custom' },
    config: {
      volume: {
        ...{ config, description, name, type: 'custom', used_by: [], location: 'none' },
        ...{ content_type: content, project, created_at: createdAt },
      },
    },
  }
  const marker = Buffer.from(disk.held === 'whole' ? (disk.marker ?? '') : '')
  const held =
    content === 'filesystem'
      ? [entry('backup/volume/', Buffer.alloc(0), '5'), entry('backup/volume/marker', marker)]
      : [entry('backup/volume.img', marker)]
  return Buffer.concat([
    entry('backup/index.yaml', Buffer.from(yaml(index))),
    ...(disk.held === 'whole' || content !== 'filesystem' ? held : held.slice(0, 1)),
    Buffer.alloc(2 * BLOCK),
  ])
}

const yaml = (value: object): string => stringify(value, { aliasDuplicateObjects: false })

function detailsOf(instance: Described, driver: string): object {
  const { architecture = 'x86_64', config, devices = {}, profiles = ['default'], description = '' } = instance
  const { createdAt = '2026-11-22T03:00:00Z', name, type, pool = 'default' } = instance
  const root = { root: { type: 'disk', path: '/', pool } }
  return {
    container: {
      ...{ architecture, config, devices, ephemeral: false, profiles, stateful: false, description },
      ...{ created_at: createdAt, expanded_config: config, expanded_devices: { ...devices, ...root } },
      ...{ name, status: 'Stopped', status_code: 102, last_used_at: '1970-01-01T00:00:00Z', type },
    },
    pool: { config: {}, description: '', name: pool, driver },
    volume: { config: {}, description: '', name, type },
  }
}

/** The files of an archive, by their names. */
export function filesIn(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  const bytes = Buffer.from(archive)
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0; ) {
    const name = bytes.toString('utf8', at, bytes.indexOf(0, at))
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8)
    files.set(name, bytes.subarray(at + BLOCK, at + BLOCK + size))
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}

/** Of a tar. */
export function entry(path: string, bytes: Uint8Array, type = '0'): Uint8Array {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  header.write(path, 0)
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(bytes.length, 124, 12)
  octal(0, 136, 12)
  header.write('        ', 148)
  header.write(type, 156)
  header.write('ustar\0', 257)
  header.write('00', 263)
  octal(
    [...header].reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return Buffer.concat([header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}
