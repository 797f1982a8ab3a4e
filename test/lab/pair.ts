/**
 * Two real Incus servers on the loopback: `main` on a btrfs loop pool with the busybox image, `backup`
 * on a dir pool. All they own lies in one short directory, whose owner is noted in it, so that what a
 * killed run left behind can be found and removed by the next one.
 */

import { chmod, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createCertificate } from './certificate.ts'
import { buildImage } from './image.ts'
import { INCUSD, missingForLab } from './installed.ts'
import { removeLeftovers } from './leftovers.ts'
import type { Place } from './place.ts'
import { type LabServer, startServer } from './server.ts'

/** Not os.tmpdir(): the path of a unix socket ends at 107 bytes. */
const HOME = '/tmp'
const PREFIX = 'stapes-lab-'
/** Owner of a pair that outlives its process. */
const KEPT = 'kept'

export type Pair = {
  dir: string
  main: LabServer
  backup: LabServer
  /** Takes everything down and deletes it; throws when something of it stays on the machine. */
  close(): Promise<void>
}

/** The daemons of a pair: paths of `incusd`. */
export type Daemons = { main: string; backup: string }

/** Networks of their own, which whoever opened them closes after the pair. */
export type Places = { main?: Place; backup?: Place }

export const INSTALLED: Daemons = { main: INCUSD, backup: INCUSD }

/** A pair made with `keep` survives this process and is ended by `endKept` alone. */
export async function startPair({
  keep = false,
  daemons = INSTALLED,
  places = {},
}: {
  keep?: boolean
  daemons?: Daemons
  places?: Places
} = {}): Promise<Pair> {
  const missing = missingForLab(Object.values(daemons))
  if (missing !== null) throw new Error(missing)
  const dir = await openDirectory(keep)
  try {
    const { main, backup } = await startBoth(dir, daemons, places)
    return { dir, main, backup, close: () => stopPair(dir, [main, backup]) }
  } catch (error) {
    await removeLeftovers(dir)
    throw error
  }
}

/** A fresh one, after those of dead processes were removed. */
export async function openDirectory(keep = false): Promise<string> {
  await sweep()
  const dir = await mkdtemp(join(HOME, PREFIX))
  await writeFile(join(dir, 'owner'), keep ? KEPT : await identify(process.pid))
  // Unprivileged containers pass through here under another user id.
  await chmod(dir, 0o711)
  return dir
}

async function startBoth(
  dir: string,
  daemons: Daemons,
  places: Places,
): Promise<{ main: LabServer; backup: LabServer }> {
  const clients = {
    trusted: await createCertificate('relay'),
    restricted: await createCertificate('restricted relay'),
    untrusted: await createCertificate('stranger'),
  }
  const [main, backup] = await Promise.all([
    startServer({
      ...{ name: 'main', dir: join(dir, 'main'), driver: 'btrfs', clients },
      ...{ incusd: daemons.main, place: places.main },
    }),
    startServer({
      ...{ name: 'backup', dir: join(dir, 'backup'), driver: 'dir', clients },
      ...{ incusd: daemons.backup, place: places.backup },
    }),
  ])
  const image = (await main.run('POST', '/1.0/images', await buildImage())) as {
    metadata: { fingerprint: string }
  }
  const target = image.metadata.fingerprint
  await main.run('POST', '/1.0/images/aliases', { name: 'busybox', target, type: 'container' })
  return { main, backup }
}

/**
 * Running containers are stopped by their daemon, so that cgroups and mounts go with them. Nothing else
 * needs a goodbye: pools, images and databases all lie in the directory that is deleted.
 */
async function stopPair(dir: string, servers: LabServer[]): Promise<void> {
  for (const server of servers) {
    // A daemon that was killed, or hangs, stops nothing; what it leaves is ended by process id.
    await stopInstances(server).catch(() => null)
    await server.close()
    await server.kill()
  }
  await removeLeftovers(dir)
}

async function stopInstances(server: LabServer): Promise<void> {
  const listed = await server.run('GET', '/1.0/instances?recursion=1&all-projects=true')
  const running = (listed as { name: string; project: string; status: string }[]).filter(
    ({ status }) => status !== 'Stopped',
  )
  await Promise.all(running.map(({ project, name }) => server.setRunning({ project, name }, false)))
}

/** Removes the pairs whose process is gone; kept ones stay, they may be in somebody's hands. */
export async function sweep(): Promise<string[]> {
  const swept: string[] = []
  for (const dir of await listPairs()) {
    const owner = await ownerOf(dir)
    // No owner yet: another run is making it at this moment.
    if (owner === null || owner === KEPT || (await isAlive(owner))) continue
    // Another test file may be sweeping it as well; what stays is no reason not to start a pair of one's own.
    try {
      await removeLeftovers(dir)
      swept.push(dir)
    } catch (error) {
      process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
  return swept
}

/** Ends the one kept pair of that directory; false when there is none. */
export async function endKept(dir: string): Promise<boolean> {
  if (!(await listPairs()).includes(dir) || (await ownerOf(dir)) !== KEPT) return false
  await removeLeftovers(dir)
  return true
}

export async function listKept(): Promise<string[]> {
  const owners = await Promise.all((await listPairs()).map(async (dir) => [dir, await ownerOf(dir)] as const))
  return owners.flatMap(([dir, owner]) => (owner === KEPT ? [dir] : []))
}

const listPairs = async (): Promise<string[]> =>
  (await readdir(HOME)).filter((name) => name.startsWith(PREFIX)).map((name) => join(HOME, name))

const ownerOf = (dir: string): Promise<string | null> =>
  readFile(join(dir, 'owner'), 'utf8').catch(() => null)

const isAlive = async (owner: string): Promise<boolean> =>
  (await identify(Number(owner.split(' ')[0])).catch(() => null)) === owner

/** Process id and start time (`proc(5)`: field 22 of stat): ids are used again, the two together aren't. */
async function identify(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return `${pid} ${afterName[19]}`
}
