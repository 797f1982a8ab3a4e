/** The backup of a bucket, read as it comes from Incus: compressed by the server's own setting, and whole only below a thousand objects. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { checked } from '../../../relay/export/archive.ts'
import { plain } from '../../../relay/export/plain.ts'
import { entry } from '../../emulator/archive.ts'

const END = Buffer.alloc(1024)

const tarOf = (objects: number): Buffer =>
  Buffer.concat([
    entry('backup/index.yaml', Buffer.from('type: bucket\n')),
    ...Array.from({ length: objects }, (_, at) => entry(`backup/bucket/o${at}`, Buffer.from('x'))),
    END,
  ])

/** In pieces, the first one of a byte. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 1)
  yield bytes.subarray(1)
}

async function read(file: Uint8Array): Promise<number> {
  let bytes = 0
  for await (const chunk of checked(plain(pieces(file)), 'bucket', () => {})) bytes += chunk.length
  return bytes
}

describe('a backup of a bucket', () => {
  test.each([
    ['gzip', (tar: Buffer) => gzipSync(tar)],
    ['zstd', (tar: Buffer) => zstdCompressSync(tar)],
    ['nothing', (tar: Buffer) => tar],
  ] as const)('is read where it is compressed with %s', async (_, pack) => {
    expect(await read(pack(tarOf(3)))).toBe(tarOf(3).length)
  })

  test('that is cut off is none, wherever', async () => {
    const file = gzipSync(tarOf(3))
    await expect(read(file.subarray(0, file.length - 9))).rejects.toThrow()
    await expect(read(gzipSync(tarOf(3).subarray(0, -1024)))).rejects.toThrow('no whole archive')
  })

  test('in another form is refused with what to do', async () => {
    await expect(read(Buffer.from('BZh91AY&SY'))).rejects.toThrow('backups.compression_algorithm')
  })

  test('may be empty, and counts for nothing from a thousand objects on, of which Incus may have left some out', async () => {
    expect(await read(tarOf(0))).toBe(tarOf(0).length)
    expect(await read(tarOf(999))).toBe(tarOf(999).length)
    await expect(read(tarOf(1000))).rejects.toThrow('Incus leaves some out')
  })
})
