/** A store in a folder that goes afterwards, and exports of an archive that Incus might have made. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import type { Saving } from '../../../../relay/engine/exports.ts'
import { createExports, type RunningExports } from '../../../../relay/export/exports.ts'
import { openIdentities } from '../../../../relay/export/identities.ts'
import { IDENTITY_FILE } from '../../../../relay/export/identity.ts'
import type { StoreConfig } from '../../../../relay/export/stores-schema.ts'
import { openUnfinished } from '../../../../relay/export/unfinished.ts'
import { archiveOf } from '../../../emulator/archive.ts'
import { newDisk } from '../../../emulator/state.ts'

export const REF = { remote: 'main', project: 'default', instance: 'web1' }
export const NAME = '20261122T030000Z'
export const FOLDER = 'main/default/web1'

export const archive = (bytes = 40_000, marker = 'as it was'): Uint8Array =>
  archiveOf({ name: 'web1', type: 'container', config: {}, disk: { ...newDisk(), bytes, marker } }, 'dir')

const MEBI = 1024 * 1024

/** Of what can't be compressed, so that it takes several parts. */
export function large(): Uint8Array {
  const file = Buffer.from(archive(60_000))
  const size = 20 * MEBI
  // The last entry, `data`, made larger.
  const at = file.lastIndexOf('backup/container/rootfs/data')
  const header = Buffer.from(file.subarray(at, at + 512))
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write(
    `${[...header]
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0`,
    148,
  )
  return Buffer.concat([file.subarray(0, at), header, randomBytes(size), Buffer.alloc(1024)])
}

/** `chunk`: bytes that come at once. */
export function savingOf(
  file: Uint8Array,
  {
    name = NAME,
    usage = null,
    open,
    chunk = 10_000,
  }: Partial<Saving> & { name?: string; chunk?: number } = {},
): Saving {
  return {
    store: 'nas',
    ref: REF,
    about: {
      ...{ instance: FOLDER, name, incus: '6.0.4', type: 'container', driver: 'dir', optimized: false },
      snapshot: { name: 'daily-20261122T0300Z', createdAt: '2026-11-22T03:00:00Z' },
      leftOut: { config: {}, devices: {} },
    },
    usage,
    open:
      open ??
      (async (from) => ({
        ok: true,
        value: { from, size: file.length, bytes: sent(file.subarray(from), chunk) },
      })),
    progress: () => {},
  }
}

/** `broken`: then the connection breaks. */
export async function* sent(file: Uint8Array, chunk = 10_000, broken = false): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += chunk) yield file.subarray(at, at + chunk)
  if (broken) throw new Error('other side closed')
}

export type Place = {
  root: string
  exports: RunningExports
  log: string[]
  /** All files, with their folders. */
  files(): string[]
  read(path: string): Buffer
  /** The relay after it was killed and started again, so many milliseconds later. */
  again(later?: number): RunningExports
}

export function openPlace(more: Partial<Record<string, StoreConfig>> = {}, recipients: string[] = []): Place {
  const home = mkdtempSync(join(tmpdir(), 'stapes-exports-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const root = mkdtempSync(join(home, 'store-'))
  const log: string[] = []
  const stores = { nas: { type: 'directory', path: root, recipients }, ...more } as Record<
    string,
    StoreConfig
  >
  const start = (later = 0): RunningExports => {
    const note = (line: string) => void log.push(line)
    const known = {
      unfinished: openUnfinished(join(home, 'list.json'), note),
      identities: openIdentities(join(home, 'stores.json'), note),
    }
    return createExports(stores, known, note, () => Date.now() + later)
  }
  return {
    ...{ root, log, exports: start(), again: start },
    files: () =>
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile() && one.name !== IDENTITY_FILE)
        .map((one) => join(one.parentPath, one.name).slice(root.length + 1))
        .sort(),
    read: (path) => readFileSync(join(root, path)),
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const unpacked = (bytes: Uint8Array): Uint8Array => zstdDecompressSync(bytes)
