/** The disk of a virtual machine that was never started: no filesystem, a marker at its start and data behind. */
import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

/** Small: raw disks travel in full, holes included. */
export const MACHINE_SIZE = '8MiB'

const MARKER_BYTES = 4096
const DATA_BYTES = 4_000_000

/** On pools that keep disks as files. */
export const diskOf = (volume: string): string => join(volume, 'root.img')

/** In place, as a guest would. */
export async function writeDisk(path: string, marker: string, bytes: number): Promise<void> {
  const block = Buffer.alloc(MARKER_BYTES)
  block.write(marker)
  const file = await open(path, 'r+')
  try {
    await file.write(block, 0, MARKER_BYTES, 0)
    await file.write(randomBytes(Math.min(bytes, DATA_BYTES)), 0, null, MARKER_BYTES)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Null: nothing was ever written to it. */
export async function readDisk(path: string): Promise<string | null> {
  const block = Buffer.alloc(MARKER_BYTES)
  const file = await open(path, 'r')
  try {
    await file.read(block, 0, MARKER_BYTES, 0)
  } finally {
    await file.close()
  }
  const text = block.toString('utf8', 0, block.indexOf(0))
  return text === '' ? null : text
}
