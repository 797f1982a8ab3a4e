/** One Incus daemon without systemd: its process, and nothing of its API but whether it answers. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { INCUSD } from './installed.ts'
import type { Socket } from './socket.ts'

type Daemon = {
  start(): Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** An upgrade: the daemon ends as it does for a package's, and another one takes over the same data. */
  replace(incusd: string): Promise<void>
}

/** After so many milliseconds an orderly end is one no more. */
const PATIENCE = 30_000

/** `enter`: a command before its own one, which becomes it. */
export function createDaemon(
  dir: string,
  socket: Socket,
  incusd = INCUSD,
  enter: readonly string[] = [],
): Daemon {
  let child: ChildProcess | null = null
  let program = incusd
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (child === null) return
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
    child.ref()
    child.kill(signal)
    await gone
    child = null
  }
  const daemon: Daemon = {
    async start() {
      if (child !== null) throw new Error(`the daemon of ${dir} runs already`)
      // Detached, so that Ctrl-C in a terminal leaves the shutting down to us.
      const [command = program, ...args] = [...enter, program]
      child = spawn(command, [...args, '--group', 'root', '--logfile', join(dir, 'incusd.log')], {
        cwd: '/',
        detached: true,
        stdio: 'ignore',
        env: { ...process.env, INCUS_DIR: dir },
      })
      child.unref()
      await ready(dir, socket, child)
    },
    kill: () => end('SIGKILL'),
    async replace(next) {
      const impatient = setTimeout(() => child?.kill('SIGKILL'), PATIENCE)
      // Containers go on without it.
      await end('SIGTERM')
      clearTimeout(impatient)
      program = next
      await daemon.start()
    },
  }
  return daemon
}

async function ready(dir: string, socket: Socket, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) break
    // No socket yet, or 503 while booting.
    const answer = await socket.admin('GET', '/internal/ready').catch(() => null)
    if (answer?.type === 'sync') return
    await sleep(50)
  }
  throw new Error(`the Incus daemon of ${dir} didn't come up; see ${join(dir, 'incusd.log')}`)
}
