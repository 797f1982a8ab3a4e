/**
 * An export to a bucket against what people would do without stapes: `incus export` into a file, and an upload of that by curl, which
 * signs by itself. Both end at the same bucket, which only takes.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createRelay, type Relay } from '../../functions/incus/relay.ts'
import { createSign } from '../../functions/incus/sign.ts'
import { POOL } from '../lab/layout.ts'
import { startPair } from '../lab/pair.ts'
import type { LabServer } from '../lab/server.ts'
import { whileOpen } from './closing.ts'
import { atLeast, atMost, median, type Report } from './figure.ts'
import { startRelayProcess } from './relay-process.ts'
import { openSink } from './sink.ts'
import { newKey } from './worker.ts'

const MEBI = 1024 * 1024
const NAME = 'web'
const SNAPSHOT = 'p-20261122T0300Z'
const LEAST = 0.9
/** Megabytes. */
const MOST = 150

const run = promisify(execFile)

type Options = { incusd: string; rounds: number; mebibytes: number; onRound(line: string): void }

export function benchOffsite({ incusd, rounds, mebibytes, onRound }: Options): Promise<Report> {
  return whileOpen(async (open) => {
    const { main } = await open(startPair({ daemons: { main: incusd, backup: incusd } }))
    const sink = await open(openSink())
    const home = mkdtempSync(join(tmpdir(), 'stapes-bench-offsite-'))
    await open({ close: async () => rmSync(home, { recursive: true }) })
    await furnish(main, mebibytes)
    const key = newKey()
    const store = {
      type: 's3',
      endpoint: sink.url,
      bucket: 'exports',
      accessKeyId: 'id',
      secretAccessKey: 'secret',
    }
    const child = await open(startRelayProcess([main], key, { exports: { stores: { r2: store } } }))
    const relay = createRelay({
      ...{ url: child.url, sign: await createSign(key), send: fetch, now: () => new Date() },
    })
    const ways: Record<string, () => Promise<void>> = {
      stapes: () => exported(relay),
      'incus export, and curl': () => byHand(main, home, sink.url, []),
      'incus export --compression none, and curl': () => byHand(main, home, sink.url, ['--compression=none']),
    }
    const took = new Map<string, number[]>()
    for (let round = 1; round <= rounds; round++)
      for (const [name, way] of Object.entries(ways)) {
        const began = performance.now()
        await way()
        const seconds = (performance.now() - began) / 1000
        took.set(name, [...(took.get(name) ?? []), seconds])
        onRound(`round ${round}: ${name} ${seconds.toFixed(1)} s`)
      }
    const [ours = 0, straight = 0, uncompressed = 0] = [...took.values()].map(median)
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024
    return {
      figures: [
        atLeast(
          `throughput of an export of ${mebibytes} MiB, by incus export and curl`,
          straight / ours,
          '×',
          LEAST,
        ),
        atMost('resident memory of that relay', peak / 1e6, 'MB', MOST),
      ],
      notes: [
        ...[...took].map(([name, all]) => `${name}: ${median(all).toFixed(1)} s`),
        `against an export that is not compressed: ${(uncompressed / ours).toFixed(2)} ×`,
      ],
    }
  })
}

/** Half of it can be compressed. */
async function furnish(main: LabServer, mebibytes: number): Promise<void> {
  await main.createInstance({ name: NAME })
  const root = join(main.dir, 'storage-pools', POOL, 'containers', NAME, 'rootfs')
  await mkdir(root, { recursive: true })
  for (let at = 0; at < mebibytes; at += 64) {
    const piece = Buffer.concat([randomBytes(32 * MEBI), Buffer.alloc(32 * MEBI, 'stapes ')])
    await writeFile(join(root, `data-${at}`), piece)
  }
  await main.run('POST', `/1.0/instances/${NAME}/snapshots`, { name: SNAPSHOT })
}

let made = 0

async function exported(relay: Relay): Promise<void> {
  const id = `export bench:${++made}`
  const name = `20261122T0300${String(made).padStart(2, '0')}Z`
  const ref = { remote: 'main', project: 'default', instance: NAME }
  const steps = [{ do: 'export' as const, ref, snapshot: SNAPSHOT, store: 'r2', name, optimized: false }]
  const { error } = await relay.batch([{ id, detach: true, steps }])
  if (error !== null) throw new Error(error.message)
  for (;;) {
    await sleep(2000)
    const seen = await relay.inventory({ remotes: ['main'] })
    const job = seen.ok ? seen.value.jobs.find((one) => one.id === id) : undefined
    if (job?.state === 'done') return
    if (job?.state === 'failed') throw new Error(`the export failed: ${JSON.stringify(job)}`)
  }
}

async function byHand(main: LabServer, home: string, url: string, more: readonly string[]): Promise<void> {
  const file = join(home, `${++made}.tar`)
  await run('incus', ['export', '-q', NAME, file, '--instance-only', ...more], {
    env: { ...process.env, INCUS_DIR: main.dir, INCUS_CONF: home },
  })
  const signing = ['--aws-sigv4', 'aws:amz:auto:s3', '--user', 'id:secret']
  const plain = ['-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD', '-H', 'expect:']
  await run('curl', ['-sSf', ...signing, ...plain, '-T', file, `${url}/exports/${made}.tar`])
  rmSync(file)
}
