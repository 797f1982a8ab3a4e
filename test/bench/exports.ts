/** What the relay takes while it exports 2 GiB: at most so much memory, wherever it goes. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { StoreConfig } from '../../relay/export/stores-schema.ts'
import { entry } from '../emulator/archive.ts'
import { readCertificate } from '../emulator/certificate.ts'
import { createCertificate } from '../lab/certificate.ts'
import type { Exported, Exporting } from './exporting.ts'
import { atMost, type Report } from './figure.ts'
import { SMALL } from './relay-process.ts'
import { openSink } from './sink.ts'

const GIBI = 1024 ** 3
const SIZE = 2 * GIBI
const MEGA = 1e6
/** Of the process, with all that it takes anyway, in megabytes. */
const MOST = 150

const run = promisify(execFile)

/** As the README has it run. */
const env = { ...process.env, MALLOC_ARENA_MAX: '1' }

export async function benchExports(): Promise<Report> {
  const certificate = await createCertificate('main', 'server')
  const client = await createCertificate('relay', 'client')
  const source = createServer({ cert: certificate.cert, key: certificate.key }, (_, response) => {
    const { length, bytes } = archive()
    response.writeHead(200, { 'content-length': length })
    Readable.from(bytes()).pipe(response)
  })
  const bucket = await openSink()
  const home = mkdtempSync(join(tmpdir(), 'stapes-bench-exports-'))
  const recipients = [await identityToRecipient(await generateX25519Identity())]
  const stores: Record<string, StoreConfig> = {
    'into a directory': { type: 'directory', path: home, recipients: [] },
    'into a bucket, encrypted': {
      ...{
        type: 's3',
        endpoint: bucket.url,
        region: 'auto',
        bucket: 'exports',
        prefix: '',
      },
      ...{ accessKeyId: 'id', secretAccessKey: 'secret', recipients },
    },
  }
  const { fingerprint } = readCertificate(certificate.cert)
  const url = await listen(source)
  const report: Report = { figures: [], notes: [] }
  try {
    for (const [name, store] of Object.entries(stores)) {
      const remote = { url, address: url, fingerprint, role: 'source' as const }
      const wanted: Exporting = { remote, client: { certificate: client.cert, key: client.key }, store }
      const child = join(import.meta.dirname, 'exporting.ts')
      const { stdout } = await run(process.execPath, [SMALL, child, JSON.stringify(wanted)], { env })
      const { ms, peak, idle } = JSON.parse(stdout) as Exported
      report.figures.push(atMost(`resident memory, 2 GiB ${name}`, peak / MEGA, 'MB', MOST))
      report.notes.push(
        `${name}: ${(SIZE / MEGA / (ms / 1000)).toFixed(0)} MB/s; ${(idle / MEGA).toFixed(0)} MB were resident before it began`,
      )
    }
  } finally {
    source.close()
    await bucket.close()
    rmSync(home, { recursive: true })
  }
  return report
}

/** Half of it can be compressed. */
function archive(): { length: number; bytes(): Iterable<Uint8Array> } {
  const piece = Buffer.concat([randomBytes(512 * 1024), Buffer.alloc(512 * 1024, 'stapes ')])
  const before = [entry('backup/index.yaml', Buffer.from('name: web\n')), header(SIZE)]
  const after = Buffer.alloc(1024)
  return {
    length: before.reduce((sum, { length }) => sum + length, SIZE + after.length),
    *bytes() {
      yield* before
      for (let at = 0; at < SIZE; at += piece.length) yield piece
      yield after
    },
  }
}

function header(size: number): Uint8Array {
  const block = Buffer.from(entry('backup/container/rootfs/data', Buffer.alloc(0)))
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  block.write('        ', 148)
  const sum = block.reduce((all: number, byte: number) => all + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0`, 148)
  return block
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}
