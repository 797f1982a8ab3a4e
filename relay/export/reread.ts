/** Reads an export again, to its end, and compares it with its manifest. What it holds needs no key for that. */
import { createHash } from 'node:crypto'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import type { Store } from './store.ts'

/** It isn't what was stored. */
export class CorruptExport extends Error {}

/** Its file is there, as long as it was. Throws a `CorruptExport`, or what the store throws. */
export async function expectSize(store: Store, path: string, { name, stored }: Manifest): Promise<void> {
  const size = await store.size(path)
  if (size === null) throw new CorruptExport(`the file of ${name} is gone: ${stored.file}`)
  if (size !== stored.bytes)
    throw new CorruptExport(`the file of ${name} has ${size} bytes, and had ${stored.bytes}`)
}

/** Throws the same. */
export async function reread(
  store: Store,
  folder: string,
  manifest: Manifest,
  progress: (bytes: number, of: number) => void,
): Promise<void> {
  const { name, stored } = manifest
  const path = `${folder}/${stored.file}`
  await expectSize(store, path, manifest)
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of store.open(path)) {
    hash.update(chunk)
    bytes += chunk.length
    progress(bytes, stored.bytes)
  }
  // It may have ended early though its size is right: then it could not be read.
  if (bytes !== stored.bytes) throw new Error(`only ${bytes} of ${stored.bytes} bytes of ${name} came`)
  const sha256 = hash.digest('hex')
  if (sha256 !== stored.sha256)
    throw new CorruptExport(`the file of ${name} has the SHA-256 ${sha256}, and had ${stored.sha256}`)
}
