/** A virtual machine of the lab that boots and counts, see guest-init: begun, watched, and read from outside. */
import { execFile } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { POOL } from '../layout.ts'
import type { LabServer } from '../server.ts'
import { diskOf } from './disk.ts'
import { bootableImage } from './kit.ts'

/** Where the guest writes its count, in bytes. */
const PLACE = 98304 * 512

const SETTINGS = {
  'limits.cpu': '1',
  'limits.memory': '192MiB',
  'security.secureboot': 'false',
  'migration.stateful': 'true',
}

export async function importImage(server: LabServer): Promise<void> {
  const image = (await server.run('POST', '/1.0/images', await readFile(await bootableImage()))) as {
    metadata: { fingerprint: string }
  }
  const target = image.metadata.fingerprint
  await server.run('POST', '/1.0/images/aliases', { name: 'guest', target, type: 'virtual-machine' })
}

/** It runs when this resolves, and has begun to count. */
export async function startGuest(
  server: LabServer,
  name: string,
  config: Record<string, string> = {},
): Promise<void> {
  const root = { type: 'disk', path: '/', pool: POOL, size: '64MiB', 'size.state': '256MiB' }
  const source = { type: 'image', alias: 'guest' }
  const body = {
    name,
    type: 'virtual-machine',
    source,
    config: { ...SETTINGS, ...config },
    devices: { root },
  }
  await server.run('POST', '/1.0/instances', body)
  await server.run('PUT', `/1.0/instances/${name}/state`, { action: 'start' })
  await untilCounting(server, name, 1)
}

export async function untilCounting(server: LabServer, name: string, least: number): Promise<number> {
  for (let tries = 0; tries < 240; tries++) {
    const count = await countOf(server, name)
    if (count !== null && count >= least) return count
    await sleep(500)
  }
  throw new Error(`${name} doesn't count to ${least} within two minutes`)
}

/** What its disk says once it says something else. */
export async function countAfter(server: LabServer, name: string, known: number | null): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    const count = await countOf(server, name)
    if (count !== null && count !== known) return count
    await sleep(200)
  }
  throw new Error(`${name} doesn't count on from ${known}`)
}

/** What its disk, or a snapshot's, says; null: it never counted. */
export async function countOf(server: LabServer, name: string, snapshot?: string): Promise<number | null> {
  const pool = join(server.dir, 'storage-pools', POOL)
  const volume =
    snapshot === undefined
      ? join(pool, 'virtual-machines', name)
      : join(pool, 'virtual-machines-snapshots', name, snapshot)
  const block = Buffer.alloc(16)
  const file = await open(diskOf(volume), 'r')
  await file.read(block, 0, block.length, PLACE).finally(() => file.close())
  const found = /^count=(\d+)/.exec(block.toString())
  return found === null ? null : Number(found[1])
}

/** All that it wrote to its console; the client alone gets it out of Incus as a text. */
export async function readConsole({ dir }: LabServer, name: string): Promise<string> {
  const env = { ...process.env, INCUS_DIR: dir }
  const { stdout } = await promisify(execFile)('incus', ['console', name, '--show-log'], { env })
  return stdout
}

/** Collects an instance's status until it is told to stop; each that came, once in a row. */
export function watchStatus(server: LabServer, name: string): { stop(): Promise<string[]> } {
  const seen: string[] = []
  let over = false
  const watching = (async () => {
    while (!over) {
      const { status } = (await server.run('GET', `/1.0/instances/${name}`)) as { status: string }
      if (seen.at(-1) !== status) seen.push(status)
      await sleep(50)
    }
  })()
  return {
    async stop() {
      over = true
      await watching
      return seen
    },
  }
}
