/** Two embedded servers behind real HTTPS that know each other, and certificates that they trust. */

import type { ClientCertificate } from '../contract/server.ts'
import { createCertificate } from '../lab/certificate.ts'
import { readCertificate } from './certificate.ts'
import type { Version } from './faces.ts'
import { type Listener, listen } from './https.ts'
import { Network } from './network.ts'
import { EmbeddedIncus } from './server.ts'
import { WallClock } from './wall-clock.ts'

export type ServedIncus = {
  incus: EmbeddedIncus
  listener: Listener
  certificate: string
  fingerprint: string
}

export type EmbeddedPair = {
  main: ServedIncus
  backup: ServedIncus
  clock: WallClock
  close(): Promise<void>
}

/** By server; 6.0.4 where absent. */
export type Versions = { main?: Version; backup?: Version }

export async function openPair({
  ports = {},
  versions = {},
}: {
  ports?: { main?: number; backup?: number }
  versions?: Versions
} = {}): Promise<EmbeddedPair> {
  const clock = new WallClock()
  const network = new Network()
  const serve = async (name: 'main' | 'backup', driver: 'btrfs' | 'dir'): Promise<ServedIncus> => {
    const own = await createCertificate(name, 'server')
    const certificate = readCertificate(own.cert)
    const incus = new EmbeddedIncus({
      ...{ name, driver, clock, network, certificate, random: Math.random },
      version: versions[name] ?? '6.0.4',
    })
    const listener = await listen(incus, own, ports[name])
    return { incus, listener, certificate: own.cert, fingerprint: certificate.fingerprint }
  }
  const main = await serve('main', 'btrfs')
  const backup = await serve('backup', 'dir')
  const close = async (): Promise<void> => {
    await Promise.all([main.listener.close(), backup.listener.close()])
  }
  return { main, backup, clock, close }
}

/** `projects` null trusts it with everything. */
export function trust(
  incus: EmbeddedIncus,
  { cert }: ClientCertificate,
  projects: string[] | null = null,
): void {
  const { fingerprint } = readCertificate(cert)
  const allowed = projects === null ? null : new Set(projects)
  incus.trusted.set(fingerprint, {
    fingerprint,
    name: fingerprint.slice(0, 12),
    certificate: cert,
    projects: allowed,
  })
}
