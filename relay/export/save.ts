/**
 * From Incus into a store, in bounded memory: read to its end and strictly, compressed, encrypted, counted and hashed, then
 * compared with what the store has. The manifest comes last.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { createZstdCompress } from 'node:zlib'
import { Encrypter } from 'age-encryption'
import { sizeOf } from '../../shared/chat/age.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import type { Download, Saving } from '../engine/exports.ts'
import { type Archive, checked } from './archive.ts'
import { collected } from './collect.ts'
import { clearLeft } from './leftovers.ts'
import { folderOf } from './paths.ts'
import { plain } from './plain.ts'
import { resumed } from './resumed.ts'
import { type Store, StoreError } from './store.ts'
import type { Unfinished, UnfinishedList } from './unfinished.ts'

export type Target = { name: string; store: Store; recipients: readonly string[] }

/** Throws a `StoreError`, or what the store throws; then nothing of it is left, or it is on the list. */
export async function save(
  saving: Saving,
  { name, store, recipients }: Target,
  unfinished: UnfinishedList,
): Promise<Manifest> {
  const opened = await saving.open(0)
  if (!opened.ok) throw new StoreError(opened.error.message)
  const { value: first } = opened
  refuseSize(first.size, saving.usage)
  const folder = folderOf(saving.ref)
  const manifestPath = `${folder}/${saving.about.name}.json`
  // Each try has a name of its own: what another one has left is never taken for it.
  const file = `${saving.about.name}.${randomBytes(6).toString('hex')}.tar.zst${recipients.length === 0 ? '' : '.age'}`
  const path = `${folder}/${file}`
  const noted: Unfinished = { store: name, manifest: manifestPath, file: path, token: null }
  unfinished.put(noted)
  const writer = await store
    .write(path, first.size, (token) => {
      noted.token = token
      unfinished.put(noted)
    })
    .catch((cause: unknown) => {
      unfinished.drop(noted)
      throw cause
    })
  try {
    const { archive, stored } = await transfer(saving, first, recipients, writer.write.bind(writer))
    await writer.end()
    const held = await store.size(path)
    if (held !== stored.bytes)
      throw new StoreError(`the store has ${held ?? 'nothing'} of the ${stored.bytes} bytes that were sent`)
    const manifest: Manifest = {
      stapes: 'export 1',
      ...saving.about,
      madeAt: new Date().toISOString(),
      archive,
      stored: {
        ...{ file, ...stored, compression: 'zstd', recipients: [...recipients] },
        encryption: recipients.length === 0 ? null : 'age',
      },
    }
    noted.promised = Date.now()
    unfinished.put(noted)
    if (!(await store.put(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`))) {
      // Then it never arrives.
      delete noted.promised
      throw new StoreError(`there is an export ${saving.about.name} of it already, which is not overwritten`)
    }
    unfinished.drop(noted)
    return manifest
  } catch (cause) {
    await clear(writer, noted, store, unfinished)
    throw cause
  }
}

async function clear(
  writer: { abort(): Promise<void> },
  noted: Unfinished,
  store: Store,
  unfinished: UnfinishedList,
): Promise<void> {
  try {
    await writer.abort()
    if (await clearLeft(store, noted, Date.now())) unfinished.drop(noted)
  } catch {
    // It stays on the list.
  }
}

/** So much of what it takes in its pool an archive has at least: pools may count their own records, too. */
const LEAST = 0.5
const ALLOWED = 64 * 1024 * 1024

function refuseSize(bytes: number, usage: number | null): void {
  if (usage !== null && bytes < usage * LEAST - ALLOWED)
    throw new StoreError(
      `what Incus exported is too small to be whole: ${sizeOf(bytes)} of what takes ${sizeOf(usage)} in its pool`,
    )
}

type Transferred = { archive: Archive; stored: { bytes: number; sha256: string } }

async function transfer(
  saving: Saving,
  first: Download,
  recipients: readonly string[],
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<Transferred> {
  const found: { archive: Archive | null } = { archive: null }
  const fetched = collected(counted(resumed(first, saving.open), first.size, saving.progress))
  const archive = checked(
    saving.about.type === 'bucket' ? plain(fetched) : fetched,
    saving.about.type,
    (whole) => {
      found.archive = whole
    },
  )
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of await encrypted(compressed(archive), recipients)) {
    hash.update(chunk)
    bytes += chunk.length
    await write(chunk)
  }
  if (found.archive === null) throw new StoreError('the export ended before its archive did')
  return { archive: found.archive, stored: { bytes, sha256: hash.digest('hex') } }
}

/** An error of the source ends what reads it with that error. */
function compressed(source: AsyncIterable<Uint8Array>): Readable {
  const input = Readable.from(source, { objectMode: false })
  const output = createZstdCompress()
  input.on('error', (error) => output.destroy(error))
  output.on('close', () => input.destroy())
  return input.pipe(output)
}

async function encrypted(
  source: Readable,
  recipients: readonly string[],
): Promise<AsyncIterable<Uint8Array>> {
  if (recipients.length === 0) return source
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  return encrypter.encrypt(Readable.toWeb(source) as ReadableStream<Uint8Array>)
}

const SECOND = 1000

/** Each second at most, in the form in which Incus reports it. */
async function* counted(
  source: AsyncIterable<Uint8Array>,
  size: number,
  progress: (text: string) => void,
): AsyncGenerator<Uint8Array> {
  const began = Date.now()
  let said = began
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    const now = Date.now()
    if (now - said >= SECOND) {
      said = now
      const rate = mega((bytes / (now - began)) * 1000)
      progress(`export (${Math.floor((bytes / size) * 100)} %): ${mega(bytes)}MB (${rate}MB/s)`)
    }
    yield chunk
  }
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(2)
