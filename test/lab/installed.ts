/** Whether this machine can run the lab: root, the daemon, and what its pools and image need. */

import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The installed one, 6.0 LTS. */
export const INCUSD = '/usr/libexec/incus/incusd'
/** 7.0 LTS, where test/lab/install-newer.sh puts it. */
export const NEWER = join(cacheFolder(), 'incus-7', 'incusd')
export const BUSYBOX = '/bin/busybox'

const TOOLS = ['incus', 'mkfs.btrfs', 'losetup', 'rsync', 'tar']
const PATHS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Where the lab keeps what takes long to make. */
export function cacheFolder(): string {
  const { STAPES_CACHE, XDG_CACHE_HOME } = process.env
  return STAPES_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'stapes')
}

/** What is missing and what to run, or null when the lab can start with these daemons. */
export function missingForLab(incusds: readonly string[] = [INCUSD]): string | null {
  const missing = [...incusds, BUSYBOX].filter((path) => !executable(path))
  missing.push(...TOOLS.filter((tool) => !hasTool(tool)))
  if (missing.length > 0) {
    return `${missing.join(', ')} missing: run "sh test/lab/install.sh" as root on Debian`
  }
  return process.getuid?.() === 0 ? null : 'the daemons need root: run the tests as root'
}

export const hasTool = (tool: string): boolean => PATHS.some((folder) => executable(join(folder, tool)))

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
