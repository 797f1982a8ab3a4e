/**
 * What Incus's virtual machines need on a machine without virtualization: QEMU in software emulation, under
 * a daemon for which vsock seems to be there. Made in a cache folder on first use, image included, and made
 * anew when their sources change.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, hasTool } from '../installed.ts'

const run = promisify(execFile)

const HERE = import.meta.dirname
const SOURCES = ['without-vsock.c', 'qemu.sh', 'image.sh', 'guest-init']
const VSOCK = '/dev/vhost-vsock'
const KVM = '/dev/kvm'

/** For machines that are never started. */
const TOOLS = ['gcc', 'qemu-system-x86_64', 'qemu-img']
/** For the image that boots, besides. */
const IMAGE_TOOLS = ['mformat', 'objcopy', 'dpkg-deb', 'sgdisk']

/** What is missing and what to do, or null when the lab can have virtual machines. */
export function missingForMachines({ booting = false } = {}): string | null {
  if (!isPossible()) return `${KVM} is missing, and without it Incus has no virtual machines`
  const missing = [...TOOLS, ...(booting ? IMAGE_TOOLS : [])].filter((tool) => !hasTool(tool))
  return missing.length === 0
    ? null
    : `${missing.join(', ')} missing: run "sh test/lab/vm/install.sh" as root on Debian`
}

/** Incus looks whether it is there, and uses nothing of it here. */
export const isPossible = (): boolean => existsSync(KVM)

/** The path of a daemon that is the given one, but has virtual machines. */
export async function withMachines(incusd: string): Promise<string> {
  const folder = await kitFolder()
  const path = join(folder, `incusd-${createHash('sha256').update(incusd).digest('hex').slice(0, 8)}`)
  const script = `#!/bin/sh\nPATH=${folder}/bin:$PATH exec ${folder}/without-vsock ${incusd} "$@"\n`
  await place(path, (fresh) => writeFile(fresh, script))
  return path
}

/** The path of an image whose guest counts, see guest-init; and what a start of it needs of the machine. */
export async function bootableImage(): Promise<string> {
  const folder = await kitFolder()
  // A device that may be opened and that nothing is asked of: see without-vsock.c.
  if (!existsSync(VSOCK)) await run('mknod', ['-m', '666', VSOCK, 'c', '1', '3'])
  const image = join(folder, 'image.tar')
  if (!existsSync(image)) await run('sh', [join(HERE, 'image.sh'), folder])
  return image
}

async function kitFolder(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of SOURCES) hash.update(await readFile(join(HERE, source)))
  const folder = join(cacheFolder(), `vm-${hash.digest('hex').slice(0, 12)}`)
  await mkdir(join(folder, 'bin'), { recursive: true })
  await place(join(folder, 'without-vsock'), (fresh) =>
    run('gcc', ['-O2', '-Wall', '-o', fresh, join(HERE, 'without-vsock.c')]),
  )
  await place(join(folder, 'bin/qemu-system-x86_64'), (fresh) => copyFile(join(HERE, 'qemu.sh'), fresh))
  // Incus loads vhost_vsock, which this kernel may not have.
  await place(join(folder, 'bin/modprobe'), (fresh) => writeFile(fresh, '#!/bin/sh\nexit 0\n'))
  return folder
}

/** An executable file that is there whole, or not at all: another run may be making it now. */
async function place(path: string, make: (fresh: string) => Promise<unknown>): Promise<void> {
  if (existsSync(path)) return
  const fresh = `${path}.${process.pid}`
  await make(fresh)
  await chmod(fresh, 0o755)
  await rename(fresh, path)
}
