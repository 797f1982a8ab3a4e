/** Whether this machine can run the lab: root, the daemon, and what its pools and image need. */

import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

export const INCUSD = '/usr/libexec/incus/incusd'
export const BUSYBOX = '/bin/busybox'

const TOOLS = ['incus', 'mkfs.btrfs', 'losetup', 'rsync', 'tar']
const PATHS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** What is missing and what to run, or null when the lab can start. */
export function missingForLab(): string | null {
  const missing = [INCUSD, BUSYBOX].filter((path) => !executable(path))
  missing.push(...TOOLS.filter((tool) => !PATHS.some((folder) => executable(join(folder, tool)))))
  if (missing.length > 0) {
    return `${missing.join(', ')} missing: run "sh test/lab/install.sh" as root on Debian`
  }
  return process.getuid?.() === 0 ? null : 'the daemons need root: run the tests as root'
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
