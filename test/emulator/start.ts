/** The Incus of `npm start`: two servers over HTTPS with a few lively instances, for machines without one. */

import type { ClientCertificate } from '../contract/server.ts'
import { createCertificate } from '../lab/certificate.ts'
import { never } from './dates.ts'
import { openPair, type ServedIncus, trust } from './pair.ts'
import { seedInstance, write } from './scene.ts'
import type { EmbeddedIncus } from './server.ts'
import { snapshotTask } from './snapshots.ts'

const MB = 1_000_000
/** Slow enough that a copy can be watched. */
const BYTES_PER_SECOND = 20 * MB

type EmbeddedServer = Pick<ServedIncus, 'incus' | 'certificate' | 'fingerprint'> & { url: string }

export type Embedded = {
  main: EmbeddedServer
  backup: EmbeddedServer
  /** PEM; trusted by both. */
  client: ClientCertificate
  close(): Promise<void>
}

/** `main` on btrfs with instances, `backup` on dir and empty; ports absent or 0 are free ones. */
export async function startEmbedded({
  ports = {},
}: {
  ports?: { main?: number; backup?: number }
} = {}): Promise<Embedded> {
  const { main, backup, close } = await openPair({ ports })
  const client = await createCertificate('relay')
  for (const { incus } of [main, backup]) {
    trust(incus, client)
    incus.bandwidth = BYTES_PER_SECOND
  }
  furnish(main.incus)
  return { main: shown(main), backup: shown(backup), client, close }
}

const shown = ({ incus, listener, certificate, fingerprint }: ServedIncus): EmbeddedServer => ({
  ...{ incus, certificate, fingerprint, url: listener.url },
})

function furnish(incus: EmbeddedIncus): void {
  const web = seedInstance(incus, { name: 'web1', running: true, config: { 'user.role': 'web' } })
  const database = seedInstance(incus, {
    ...{ name: 'db1', running: true },
    config: { 'user.role': 'database', 'user.tier': 'gold' },
  })
  const old = seedInstance(incus, { name: 'old1' })
  write(web, 'web', 40 * MB)
  write(database, 'database', 60 * MB)
  write(old, 'old', 10 * MB)
  snapshotTask(incus, web, { name: 'before-upgrade', expires: never, stateful: false }, 'default')
}
