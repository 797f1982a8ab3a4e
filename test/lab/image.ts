/** The lab's container image: a static busybox and just enough around it to be started. */

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BUSYBOX } from './installed.ts'

const TOOLS = 'sh init ls cat echo sleep ps mount hostname halt poweroff reboot true sha256sum dd'

const ARCHITECTURE: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' }

const METADATA = `architecture: ${ARCHITECTURE[process.arch] ?? process.arch}
creation_date: 1700000000
properties: { description: busybox, os: busybox, release: "1" }
`

const INITTAB = '::sysinit:/bin/true\n::respawn:/bin/sleep 100000\n::ctrlaltdel:/bin/true\n'

/** The unified tarball (metadata.yaml and rootfs/), about 1 MB. */
export async function buildImage(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'stapes-image-'))
  try {
    const root = join(folder, 'rootfs')
    for (const name of ['bin', 'sbin', 'etc', 'dev', 'proc', 'sys', 'tmp', 'run', 'root', 'var']) {
      await mkdir(join(root, name), { recursive: true })
    }
    await writeFile(join(folder, 'metadata.yaml'), METADATA)
    await cp(BUSYBOX, join(root, 'bin/busybox'), { dereference: true })
    for (const tool of TOOLS.split(' ')) await symlink('busybox', join(root, 'bin', tool))
    await symlink('../bin/busybox', join(root, 'sbin/init'))
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    await writeFile(join(root, 'etc/inittab'), INITTAB)
    const tarball = join(folder, 'image.tgz')
    await promisify(execFile)('tar', ['czf', tarball, '-C', folder, 'metadata.yaml', 'rootfs'])
    return await readFile(tarball)
  } finally {
    await rm(folder, { recursive: true })
  }
}
