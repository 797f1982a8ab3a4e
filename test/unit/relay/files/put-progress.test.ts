/** What is told of files while they are restored: bytes and rate, as of other long work. */
import { expect, test } from 'vitest'
import { progressOf } from '../../../../functions/api/answer-progress.ts'
import { counting } from '../../../../relay/engine/counting.ts'
import { restoreFiles } from '../../../../relay/engine/files/putting.ts'
import type { Sftp } from '../../../../relay/engine/files/sftp.ts'
import { bytesOf } from '../../../../relay/engine/files/wire.ts'

const MODE = 0o100644
const PIECE = Buffer.alloc(500_000)

test('bytes and rate, while a long file passes and once it is there', async () => {
  let now = 0
  const told: string[] = []
  const size = 4 * PIECE.length
  const source = {
    lstat: async () => ({ size, mode: MODE }),
    async *read() {
      for (let piece = 0; piece < 4; piece++) {
        now += 600
        yield PIECE
      }
    },
  }
  const target = {
    lstat: async () => null,
    async write(_: Buffer, bytes: AsyncIterable<Uint8Array>) {
      for await (const _piece of bytes);
    },
    setAttributes: async () => {},
    makeFolder: async () => {},
    replace: async () => {},
  }
  const path = bytesOf('/big')
  const passing = counting({ now: () => now, after: () => () => {} }, (text) => void told.push(text))
  await restoreFiles(
    { source: source as unknown as Sftp, target: target as unknown as Sftp },
    { path, name: bytesOf('big'), kind: 'file', attributes: { size, mode: MODE } },
    'label',
    passing,
  )
  expect(told).toEqual(['1.00MB (0.83MB/s)', '2.00MB (0.83MB/s)', '1 files, 0 folders: 2.00MB (0.83MB/s)'])
  const since = '2026-11-22T00:00:00.000Z'
  const report = {
    id: 'put main/default/web:safety#0',
    state: 'running' as const,
    since,
    progress: told.at(-1) ?? '',
  }
  expect(progressOf([report], new Date(since)).work).toEqual([
    expect.objectContaining({ kind: 'puts', bytes: 2_000_000, bytesPerSecond: 830_000 }),
  ])
})
