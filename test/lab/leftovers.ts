/**
 * What a daemon leaves on the machine, found by its directory: processes, mounts, loop devices,
 * cgroups. The directory's name is unique, so nothing of anybody else's is ever touched.
 */

import { execFile } from 'node:child_process'
import { readdir, readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cgroupsOf, removeCgroups } from './cgroups.ts'

const run = promisify(execFile)

/**
 * Ids of the processes whose command line names the directory: daemons, container monitors, rsync. Those that
 * this one was started by name it, too, where it was told to end that pair.
 */
export async function processesOf(dir: string): Promise<number[]> {
  const found: number[] = []
  const own = await ownLine()
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || own.has(pid)) continue
    // Gone between listing and reading: not there, then.
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(dir)) found.push(pid)
  }
  return found
}

/** This process, its parent, and so on (`proc(5)`: field 4 of stat). */
async function ownLine(): Promise<Set<number>> {
  const line = new Set<number>()
  for (let pid = process.pid; pid > 0 && !line.has(pid); ) {
    line.add(pid)
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
  }
  return line
}

/** Mount points under the directory, the innermost first. Blanks and backslashes stand there in octal. */
async function mountsOf(dir: string): Promise<string[]> {
  const lines = (await readFile('/proc/mounts', 'utf8')).split('\n')
  const points = lines.map((line) =>
    (line.split(' ')[1] ?? '').replace(/\\(\d{3})/g, (_, code) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    ),
  )
  return points.filter((point) => point.startsWith(`${dir}/`)).reverse()
}

async function loopsOf(dir: string): Promise<string[]> {
  const { stdout } = await run('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE'])
  return stdout.split('\n').flatMap((line) => {
    const [device = '', file = ''] = line.trim().split(/\s+/)
    return file.startsWith(`${dir}/`) ? [device] : []
  })
}

export async function listLeftovers(dir: string): Promise<string[]> {
  const [pids, mounts, loops] = await Promise.all([processesOf(dir), mountsOf(dir), loopsOf(dir)])
  return [...pids.map((pid) => `process ${pid}`), ...mounts, ...loops]
}

/** Ends, unmounts and deletes everything under the directory; throws when something stays. */
export async function removeLeftovers(dir: string): Promise<void> {
  const cgroups = new Set<string>()
  for (let round = 0; round < 50; round++) {
    for (const pid of await processesOf(dir)) {
      for (const name of await cgroupsOf(pid)) cgroups.add(name)
      endProcess(pid)
    }
    for (const point of await mountsOf(dir)) await run('umount', [point]).catch(() => null)
    if ((await listLeftovers(dir)).length === 0) break
    await sleep(100)
  }
  const rest = await listLeftovers(dir)
  if (rest.length > 0) throw new Error(`the lab left behind, under ${dir}: ${rest.join(', ')}`)
  await removeCgroups(cgroups)
  await rm(dir, { recursive: true, force: true })
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself in the meantime.
  }
}
