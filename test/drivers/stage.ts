/** Two servers in the machine, the real relay and the real Worker on this host. */
import { startRelay } from '../../relay/relay.ts'
import { type LiveWorker, newKey, startWorker } from '../e2e/worker.ts'
import { createCertificate } from '../lab/certificate.ts'
import { buildImage } from '../lab/image.ts'
import type { Built } from './built.ts'
import { type Machine, startMachine } from './machine.ts'
import { PORTS, type Server, startServer } from './server.ts'

export type Stage = {
  machine: Machine
  main: Server
  backup: Server
  worker: LiveWorker
  /** The body of a good answer; throws on any other. */
  ask<Body>(method: string, path: string, body?: unknown): Promise<Body>
  close(): Promise<void>
}

/** Software emulation has no power for more at once. */
const COPIES = 3

export async function openStage(built: Built, version: string): Promise<Stage> {
  const closing: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const end of closing.reverse()) await end()
  }
  try {
    const machine = await startMachine(built, Object.values(PORTS))
    closing.push(machine.close)
    const client = await createCertificate('relay')
    const [main, backup] = await startBoth(machine, version, client)
    closing.push(main.close, backup.close)
    const key = newKey()
    const remote = ({ url, fingerprint, address }: Server, role: 'source' | 'target') => ({
      ...{ url, fingerprint, address, role, copies: COPIES },
    })
    const relay = await startRelay({
      listen: { host: '127.0.0.1', port: 0 },
      keys: { [key.id]: key.secret },
      client: { certificate: client.cert, key: client.key },
      remotes: { main: remote(main, 'source'), backup: remote(backup, 'target') },
    })
    closing.push(() => relay.close())
    const worker = await startWorker(relay.url, key)
    closing.push(() => worker.close())
    return { machine, main, backup, worker, ask: askOf(worker), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startBoth(
  machine: Machine,
  version: string,
  client: Awaited<ReturnType<typeof createCertificate>>,
): Promise<[Server, Server]> {
  const main = await startServer(machine, { name: 'main', version, client })
  const backup = await startServer(machine, { name: 'backup', version, client })
  const image = (await main.run('POST', '/1.0/images', await buildImage())) as {
    metadata: { fingerprint: string }
  }
  await main.run('POST', '/1.0/images/aliases', {
    ...{ name: 'busybox', type: 'container' },
    target: image.metadata.fingerprint,
  })
  // A copy of a snapshot on the same server says its pool itself; what has none goes here.
  const root = { type: 'disk', path: '/', pool: 'dir' }
  for (const server of [main, backup])
    await server.run('PATCH', '/1.0/profiles/default', { devices: { root } })
  return [main, backup]
}

const askOf =
  (worker: LiveWorker): Stage['ask'] =>
  async <Body>(method: string, path: string, body?: unknown) => {
    const reply = await worker.fetch(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`)
    return (await reply.json()) as Body
  }
