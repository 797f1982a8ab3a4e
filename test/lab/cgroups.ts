/** Control groups of containers whose monitor was killed: nobody else removes them then. */

import { readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'

/** Names of the two groups of the container that a process watches over; none for other processes. */
export async function cgroupsOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')
  const found = /\/lxc\.monitor\.([^/\n]+)$/m.exec(text)
  return found === null ? [] : [`lxc.monitor.${found[1]}`, `lxc.payload.${found[1]}`]
}

/** From all hierarchies: the unified one is the root itself or lies beside those of version 1. */
export async function removeCgroups(names: Iterable<string>): Promise<void> {
  const hierarchies = [ROOT, ...(await readdir(ROOT)).map((name) => join(ROOT, name))]
  for (const name of names) {
    for (const hierarchy of hierarchies) await removeTree(join(hierarchy, name))
  }
}

/** Groups go innermost first and by rmdir alone; one that isn't there, or still in use, stays. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name))
  await rmdir(folder).catch(() => null)
}
