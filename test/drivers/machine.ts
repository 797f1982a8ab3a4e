/**
 * The machine while it runs: QEMU in software emulation, reached on the loopback alone, and itself reaching
 * nothing. What it writes is forgotten when it ends.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../lab/free-port.ts'
import type { Built } from './built.ts'
import { type Line, openLine } from './line.ts'

export type Machine = {
  sh: Line['sh']
  /** By port in the machine: the one on this host's loopback. */
  ports: ReadonlyMap<number, number>
  close(): Promise<void>
}

/** Its address on the network that it has for itself. */
export const ADDRESS = '10.0.2.15'

export async function startMachine({ folder }: Built, listening: readonly number[]): Promise<Machine> {
  const dir = await mkdtemp(join(tmpdir(), 'stapes-drivers-'))
  const ports = new Map<number, number>()
  for (const port of listening) ports.set(port, await freePort())
  const log = await open(join(dir, 'qemu.log'), 'w')
  // It ends with this process, however that ends.
  const command = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...argumentsOf(folder, dir, ports)]
  const qemu = spawn('setpriv', command, {
    stdio: ['ignore', log.fd, log.fd],
    // Of the disk only a layer above it is written, in a file that is gone with QEMU.
    env: { ...process.env, TMPDIR: dir },
  })
  const isAlive = (): boolean => qemu.exitCode === null && qemu.signalCode === null
  const end = (): void => void qemu.kill('SIGKILL')
  const abort = (): void => {
    end()
    rmSync(dir, { recursive: true, force: true })
  }
  process.once('exit', abort)
  const close = async (): Promise<void> => {
    process.off('exit', abort)
    const gone = isAlive() ? once(qemu, 'exit') : null
    end()
    await gone
    await log.close()
    await rm(dir, { recursive: true })
  }
  try {
    const line = await openLine(join(dir, 'line'), isAlive)
    return {
      sh: line.sh,
      ports,
      async close() {
        line.close()
        await close()
      },
    }
  } catch (error) {
    const said = await Promise.all(['qemu.log', 'console'].map((file) => readFile(join(dir, file), 'utf8')))
    await close()
    throw new Error(`the machine did not come up: ${said.join('').slice(-2000)}`, { cause: error })
  }
}

function argumentsOf(folder: string, dir: string, ports: ReadonlyMap<number, number>): string[] {
  const forwards = [...ports].map(([inside, outside]) => `hostfwd=tcp:127.0.0.1:${outside}-:${inside}`)
  return [
    ...['-M', 'q35', '-accel', 'tcg,thread=multi,tb-size=512', '-smp', '2', '-m', '3072'],
    // Without svm: Incus would see /dev/kvm, and QEMU dies when a guest starts in its guest.
    ...['-cpu', 'max,-svm', '-display', 'none', '-monitor', 'none', '-no-reboot'],
    ...['-serial', `file:${join(dir, 'console')}`],
    ...['-kernel', join(folder, 'vmlinuz'), '-initrd', join(folder, 'initrd')],
    ...[
      '-append',
      'console=ttyS0 root=/dev/vda rw init=/sbin/stapes-init quiet mitigations=off net.ifnames=0',
    ],
    '-drive',
    `file=${join(folder, 'disk.img')},format=raw,if=virtio,cache=unsafe,snapshot=on`,
    ...['-device', 'virtio-serial-pci', '-chardev'],
    `socket,id=line,path=${join(dir, 'line')},server=on,wait=off`,
    ...['-device', 'virtserialport,chardev=line,name=stapes'],
    ...['-nic', ['user,model=virtio-net-pci,restrict=on', ...forwards].join(',')],
  ]
}
