/**
 * Reads a tar to its last block while it passes by, strictly: Incus up to 6.0 imports one that was cut between two files,
 * and says that all is well.
 */
import { createHash } from 'node:crypto'
import { createTarDecoder } from 'modern-tar'
import { MOST_OBJECTS } from '../../shared/incus/export-trust.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { StoreError } from './store.ts'

export type Archive = { bytes: number; sha256: string; entries: number }

/** Passes the bytes on, and throws where they are no whole archive of that. `end` gets what it was, at its end. */
export async function* checked(
  source: AsyncIterable<Uint8Array>,
  type: Manifest['type'],
  end: (archive: Archive) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  const { readable, writable } = createTarDecoder({ strict: true })
  const writer = writable.getWriter()
  const reading = readNames(readable, DATA[type])
  // Whoever waits for it gets the error.
  reading.catch(() => {})
  let bytes = 0
  try {
    for await (const chunk of source) {
      hash.update(chunk)
      bytes += chunk.length
      await writer.write(chunk)
      yield chunk
    }
    await writer.close()
  } catch (cause) {
    await writer.abort(cause).catch(() => {})
    throw cause instanceof StoreError ? cause : broken(cause)
  }
  const seen = await reading.catch((cause: unknown) => {
    throw broken(cause)
  })
  // A bucket may be empty.
  if (!seen.index || (!seen.data && type !== 'bucket'))
    throw new StoreError(`what Incus exported is no ${type}: it has no index, or no data`)
  if (type === 'bucket' && seen.entries > MOST_OBJECTS) throw new StoreError(TOO_MANY)
  end({ bytes, sha256: hash.digest('hex'), entries: seen.entries })
}

const TOO_MANY = `it has ${MOST_OBJECTS} objects or more, of which Incus leaves some out in a backup and says that all is well: copy its objects with a client of S3 that lists them with "start-after", or divide it`

/** Where the data is. */
const DATA: Record<Manifest['type'], RegExp> = {
  container: /^backup\/container/,
  'virtual-machine': /^backup\/virtual-machine/,
  volume: /^backup\/volume(\/|\.(img|bin)|$)/,
  bucket: /^backup\/bucket\//,
}

type Seen = { entries: number; index: boolean; data: boolean }

async function readNames(
  readable: ReadableStream<{ header: { name: string }; body: ReadableStream }>,
  data: RegExp,
): Promise<Seen> {
  const seen: Seen = { entries: 0, index: false, data: false }
  for await (const { header, body } of readable) {
    seen.entries += 1
    if (header.name === 'backup/index.yaml') seen.index = true
    else if (data.test(header.name)) seen.data = true
    await body.pipeTo(new WritableStream())
  }
  return seen
}

const broken = (cause: unknown): StoreError =>
  new StoreError(
    `what Incus exported is no whole archive: ${cause instanceof Error ? cause.message : String(cause)}`,
  )
