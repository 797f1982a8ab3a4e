/** The file that a backup of an instance is: a tar as Incus makes it, with a disk of a few kilobytes. */
import type { Instance } from './state.ts'

const BLOCK = 512

/** Bytes of its disk that are in it. */
const MOST = 64 * 1024

export function archiveOf(
  instance: Pick<Instance, 'name' | 'type' | 'disk' | 'config'>,
  driver: string,
): Uint8Array {
  const { name, type, disk, config } = instance
  const base = type === 'container' ? 'backup/container' : 'backup/virtual-machine'
  const settings = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)
  const index = [
    `name: ${name}`,
    `backend: ${driver}`,
    'optimized: false',
    `type: ${type}`,
    'config:',
    ...settings,
  ]
  const data = Buffer.alloc(Math.min(disk.bytes, MOST), 'd')
  const held: [string, Uint8Array][] =
    disk.held === 'whole'
      ? [
          [`${base}/rootfs/marker`, Buffer.from(disk.marker ?? '')],
          [`${base}/rootfs/data`, data],
        ]
      : []
  return Buffer.concat([
    entry('backup/index.yaml', Buffer.from(`${index.join('\n')}\n`)),
    entry(`${base}/backup.yaml`, Buffer.from('container:\n')),
    ...held.map(([path, bytes]) => entry(path, bytes)),
    Buffer.alloc(2 * BLOCK),
  ])
}

/** Of a tar. */
export function entry(path: string, bytes: Uint8Array): Uint8Array {
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
  header.write('0', 156)
  header.write('ustar\0', 257)
  header.write('00', 263)
  octal(
    [...header].reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return Buffer.concat([header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}
