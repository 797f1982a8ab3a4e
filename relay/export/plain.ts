/**
 * The tar in a file that Incus may have compressed: a backup of a bucket it compresses by the server's own setting, whatever it
 * is asked for (7.0.2).
 */
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { StoreError } from './store.ts'

const FORMS = [
  { starts: [0x1f, 0x8b], unpack: createGunzip },
  { starts: [0x28, 0xb5, 0x2f, 0xfd], unpack: createZstdDecompress },
] as const

const OTHERS: readonly (readonly [name: string, starts: readonly number[]])[] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
]

/** An error of the source ends what reads it with that error, and so does one that ends before its own end. */
export async function* plain(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, all } = await peeked(source)
  const begins = (starts: readonly number[]): boolean => starts.every((byte, at) => head[at] === byte)
  const other = OTHERS.find(([, starts]) => begins(starts))
  if (other !== undefined)
    throw new StoreError(
      `Incus compressed it with ${other[0]}, which can't be read here: set backups.compression_algorithm of that server to gzip, zstd or none`,
    )
  const form = FORMS.find(({ starts }) => begins(starts))
  if (form === undefined) return yield* all
  const input = Readable.from(all, { objectMode: false })
  const output = form.unpack()
  input.on('error', (error) => output.destroy(error))
  output.on('close', () => input.destroy())
  yield* input.pipe(output)
}

async function* piecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* source
}

/** Bytes that tell the forms apart. */
const HEAD = 6

async function peeked(
  source: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; all: AsyncGenerator<Uint8Array> }> {
  const iterator = piecesOf(source)
  const first: Uint8Array[] = []
  let length = 0
  while (length < HEAD) {
    const next = await iterator.next()
    if (next.done === true) break
    first.push(next.value)
    length += next.value.length
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* first
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value
    } finally {
      await iterator.return(undefined)
    }
  }
  return { head: Buffer.concat(first).subarray(0, HEAD), all: all() }
}
