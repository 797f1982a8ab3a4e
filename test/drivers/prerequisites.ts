/** What the drivers' suite needs of this machine. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { BUSYBOX } from '../lab/installed.ts'

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The tool, and the package of Debian that has it. */
const TOOLS = {
  'qemu-system-x86_64': 'qemu-system-x86',
  debootstrap: 'debootstrap',
  'mkfs.ext4': 'e2fsprogs',
} as const

/** What is missing and what to run, or null when the suite can start. */
export function missingForDrivers(): string | null {
  const missing: string[] = Object.entries(TOOLS)
    .filter(([tool]) => !FOLDERS.some((folder) => isThere(join(folder, tool))))
    .map(([, name]) => name)
  if (!isThere(BUSYBOX)) missing.push('busybox-static')
  if (missing.length > 0)
    return `run, as root on Debian: apt-get install --no-install-recommends ${missing.join(' ')}`
  return process.getuid?.() === 0 ? null : 'building the machine needs root: run it as root'
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
