/**
 * Three real Incus servers on the loopback that are one cluster, n1 to n3, each with a dir pool. Like a pair
 * they own one short directory, so that what a killed run left behind is found and removed by the next.
 */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContractInstance, ContractServer } from '../contract/server.ts'
import { createCertificate } from './certificate.ts'
import { createDaemon } from './daemon.ts'
import { freePort } from './free-port.ts'
import { missingForLab } from './installed.ts'
import { removeLeftovers } from './leftovers.ts'
import { openDirectory } from './pair.ts'
import { createScene } from './scene.ts'
import { type LabServer, startServer } from './server.ts'
import { openSocket } from './socket.ts'

export type Member = Pick<
  LabServer,
  'dir' | 'url' | 'admin' | 'run' | 'kill' | 'start' | 'close' | 'readMarker'
> & {
  /** As Incus tells it in `location`. */
  id: string
}

export type Cluster = Pick<ContractServer, 'certificate' | 'fingerprint' | 'clients' | 'pool' | 'driver'> & {
  dir: string
  members: [Member, Member, Member]
  /** Over the socket of a member that answers. */
  run: LabServer['run']
  /** The member that an instance is on now. */
  homeOf(it: ContractInstance): Promise<Member>
  close(): Promise<void>
}

type Environment = { certificate: string; certificate_fingerprint: string }

/** `incusd`: another daemon than the installed one. */
export async function startCluster({ incusd }: { incusd?: string } = {}): Promise<Cluster> {
  const missing = missingForLab()
  if (missing !== null) throw new Error(missing)
  const dir = await openDirectory()
  try {
    return await startMembers(dir, incusd)
  } catch (error) {
    await removeLeftovers(dir)
    throw error
  }
}

async function startMembers(dir: string, incusd: string | undefined): Promise<Cluster> {
  const clients = {
    trusted: await createCertificate('relay'),
    restricted: await createCertificate('restricted relay'),
    untrusted: await createCertificate('stranger'),
  }
  const server = await startServer({ name: 'main', dir: join(dir, 'n1'), driver: 'dir', clients, incusd })
  await server.run('PUT', '/1.0/cluster', { server_name: 'n1', enabled: true })
  const members: Cluster['members'] = [
    { id: 'n1', ...server },
    await joinMember('n2', dir, server, incusd),
    await joinMember('n3', dir, server, incusd),
  ]
  const run: LabServer['run'] = async (...call) => {
    for (const member of members)
      if ((await member.admin('GET', '/1.0').catch(() => null))?.type === 'sync') return member.run(...call)
    throw new Error('no member answers')
  }
  // Not the one that n1 had when it stood alone: the members share a new one.
  const { environment } = (await run('GET', '/1.0')) as { environment: Environment }
  const { certificate, certificate_fingerprint: fingerprint } = environment
  const { pool, driver } = server
  return {
    ...{ dir, members, certificate, fingerprint, clients, pool, driver, run },
    async homeOf({ project = 'default', name }) {
      const { location } = (await run('GET', `/1.0/instances/${name}?project=${project}`)) as {
        location: string
      }
      const home = members.find(({ id }) => id === location)
      if (home === undefined) throw new Error(`${name} is on ${location}, which is no member of the lab`)
      return home
    },
    async close() {
      for (const member of members) {
        await member.close()
        await member.kill()
      }
      await removeLeftovers(dir)
    },
  }
}

/** What `incus cluster join` does: the token names the cluster, and everything comes from there. */
async function joinMember(
  id: string,
  parent: string,
  first: LabServer,
  incusd: string | undefined,
): Promise<Member> {
  const dir = join(parent, id)
  await mkdir(dir, { mode: 0o711 })
  const socket = openSocket(join(dir, 'unix.socket'))
  const daemon = createDaemon(dir, socket, incusd)
  await daemon.start()
  const address = `127.0.0.1:${await freePort()}`
  const token = await joinToken(id, first)
  await preseed(dir, { enabled: true, server_address: address, cluster_token: token, member_config: [] })
  const { readMarker } = createScene(dir, socket.run)
  return { id, dir, url: `https://${address}`, ...socket, ...daemon, readMarker }
}

/** As `incus cluster add` puts it together from the operation that it starts. */
async function joinToken(id: string, first: LabServer): Promise<string> {
  const { metadata } = await first.admin('POST', '/1.0/cluster/members', { server_name: id })
  const { metadata: parts } = metadata as { metadata: Record<string, unknown> }
  const { secret, fingerprint, addresses, expiresAt } = parts
  const token = { server_name: id, fingerprint, addresses, secret, expires_at: expiresAt }
  return Buffer.from(JSON.stringify(token)).toString('base64')
}

/** By Incus's own client, which knows how a server joins. JSON is YAML. */
const preseed = (dir: string, cluster: object): Promise<void> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, INCUS_DIR: dir }
    const child = execFile('incus', ['admin', 'init', '--preseed'], { env }, (error) =>
      error === null ? resolve() : reject(error),
    )
    child.stdin?.end(JSON.stringify({ cluster }))
  })
