/**
 * The archive in an export, as a stream in bounded memory: decrypted, unpacked, and compared with the manifest. Whoever has read
 * it to its end has had what was stored.
 */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import { Decrypter } from 'age-encryption'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { type Archive, checked } from './archive.ts'
import { CorruptExport, expectSize } from './reread.ts'
import { type Store, StoreError } from './store.ts'

/** It needs another key, or one at all. */
export class KeyError extends Error {}

/** Ends with a `CorruptExport` or a `KeyError`, or what the store throws. `progress`: bytes of what is stored. */
export async function* opened(
  store: Store,
  path: string,
  manifest: Manifest,
  key: string | null,
  progress: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const { name, stored, archive } = manifest
  await expectSize(store, path, manifest)
  const hash = createHash('sha256')
  let bytes = 0
  /** Of the store itself: then it isn't known what it holds. */
  let broken: unknown = null
  let hasEnded = false
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of store.open(path)) {
        hash.update(chunk)
        bytes += chunk.length
        progress(bytes)
        yield chunk
      }
      hasEnded = true
    } catch (cause) {
      broken = cause
      throw cause
    }
  }
  const found: { archive: Archive | null } = { archive: null }
  const plain = await decrypted(counted(), stored.encryption !== null, key)
  try {
    yield* checked(unpacked(plain), manifest.type, (whole) => {
      found.archive = whole
    })
  } catch (cause) {
    if (broken !== null) throw broken
    // Its size is right, so it could not be read.
    if (hasEnded && bytes < stored.bytes)
      throw new StoreError(`only ${bytes} of ${stored.bytes} bytes of ${name} came`)
    throw new CorruptExport(`${name} is not what was stored: ${messageOf(cause)}`)
  }
  // What was left unread is missing in it.
  const sha256 = hash.digest('hex')
  if (sha256 !== stored.sha256)
    throw new CorruptExport(`the file of ${name} has the SHA-256 ${sha256}, and had ${stored.sha256}`)
  const { archive: seen } = found
  if (seen === null || seen.sha256 !== archive.sha256 || seen.bytes !== archive.bytes)
    throw new CorruptExport(`the archive in ${name} has another SHA-256 than its manifest says`)
}

async function decrypted(
  source: AsyncGenerator<Uint8Array>,
  isEncrypted: boolean,
  key: string | null,
): Promise<AsyncIterable<Uint8Array>> {
  if (!isEncrypted) return source
  if (key === null)
    throw new KeyError(
      'it is encrypted: give the key that opens it ("key") over the API, never in chat, which keeps what is written',
    )
  const decrypter = new Decrypter()
  try {
    decrypter.addIdentity(key)
  } catch {
    // Its own text might hold a part of the key.
    throw new KeyError('the given key is no identity of age: expected AGE-SECRET-KEY-1…')
  }
  try {
    const web = Readable.toWeb(Readable.from(source, { objectMode: false })) as ReadableStream<Uint8Array>
    return Readable.fromWeb((await decrypter.decrypt(web)) as Parameters<typeof Readable.fromWeb>[0])
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    throw new KeyError(`the given key doesn't open it: ${messageOf(cause)}`)
  }
}

/** An error of the source ends what reads it with that error, and a reader that leaves ends the source. */
function unpacked(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const input = source instanceof Readable ? source : Readable.from(source, { objectMode: false })
  const output = createZstdDecompress()
  input.on('error', (error) => output.destroy(error))
  output.on('close', () => input.destroy())
  return input.pipe(output)
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
