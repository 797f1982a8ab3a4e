/** One real Incus server of the lab: a daemon, its one pool, and what the suites need to set the scene. */

import { createHash, X509Certificate } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContractServer } from '../contract/server.ts'
import { createBuckets } from './buckets.ts'
import { createDaemon } from './daemon.ts'
import { freePort } from './free-port.ts'
import { FENCED, POOL, SHARED_PROFILES } from './layout.ts'
import type { Place } from './place.ts'
import { createScene } from './scene.ts'
import { type Envelope, openSocket } from './socket.ts'

export type LabServer = ContractServer & {
  /** INCUS_DIR of this daemon; `INCUS_DIR=<dir> incus …` talks to it. */
  dir: string
  /** A call over the unix socket with full rights: the parsed envelope, errors included. */
  admin(method: string, path: string, body?: unknown): Promise<Envelope>
  /** Likewise, but awaits the operation, returns the metadata and throws on any failure. */
  run(method: string, path: string, body?: unknown): Promise<unknown>
  /** Goes on with another daemon on the same data, under the same url. */
  upgrade(incusd: string): Promise<void>
  close(): Promise<void>
}

type ServerSpec = {
  name: ContractServer['name']
  dir: string
  driver: ContractServer['driver']
  clients: ContractServer['clients']
  /** Another daemon than the installed one. */
  incusd?: string | undefined
  /** Another network than this machine's. */
  place?: Place | undefined
}

export async function startServer({
  name,
  dir,
  driver,
  clients,
  incusd,
  place,
}: ServerSpec): Promise<LabServer> {
  await mkdir(dir, { mode: 0o711 })
  const socket = openSocket(join(dir, 'unix.socket'))
  const daemon = createDaemon(dir, socket, incusd, place?.enter)
  await daemon.start()
  const address = `${place?.address ?? '127.0.0.1'}:${await freePort()}`
  await setUp(socket.run, driver, address, clients)
  const { environment } = (await socket.run('GET', '/1.0')) as { environment: { certificate: string } }
  const { raw } = new X509Certificate(environment.certificate)
  return {
    ...{ name, dir, driver, clients, pool: POOL, url: `https://${address}` },
    certificate: environment.certificate,
    fingerprint: createHash('sha256').update(raw).digest('hex'),
    ...createScene(dir, socket.run),
    ...createBuckets(socket.run),
    ...{ admin: socket.admin, run: socket.run, close: socket.close },
    start: daemon.start,
    kill: daemon.kill,
    upgrade: daemon.replace,
  }
}

async function setUp(
  run: LabServer['run'],
  driver: string,
  address: string,
  clients: ContractServer['clients'],
): Promise<void> {
  await run('PATCH', '/1.0', { config: { 'core.https_address': address } })
  const config = driver === 'btrfs' ? { size: '4GiB' } : {}
  await run('POST', '/1.0/storage-pools', { name: POOL, driver, config })
  // No network card: no bridge, no dnsmasq, nothing two daemons could fight about.
  const root = { type: 'disk', path: '/', pool: POOL }
  await run('PATCH', '/1.0/profiles/default', { devices: { root } })
  await run('POST', '/1.0/projects', { name: FENCED, config: SHARED_PROFILES })
  await trust(run, 'trusted', clients.trusted.cert, { restricted: false, projects: [] })
  await trust(run, 'restricted', clients.restricted.cert, { restricted: true, projects: [FENCED] })
}

async function trust(run: LabServer['run'], name: string, pem: string, rights: object): Promise<void> {
  const certificate = new X509Certificate(pem).raw.toString('base64')
  await run('POST', '/1.0/certificates', { name, type: 'client', certificate, ...rights })
}
