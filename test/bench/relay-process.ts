/** The relay as people run it: a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { LabServer } from '../lab/server.ts'
import type { Key } from './worker.ts'

type RelayProcess = { url: string; pid: number; close(): Promise<void> }

/** As the README has it run. */
export const SMALL = '--max-semi-space-size=1'

const MAIN = join(import.meta.dirname, '../../relay/main.ts')

type Server = Pick<LabServer, 'name' | 'url' | 'fingerprint' | 'clients'>

/** `more`: of its configuration. `main`: what is run. */
export async function startRelayProcess(
  servers: readonly Server[],
  key: Key,
  more: object = {},
  main: readonly string[] = [MAIN],
): Promise<RelayProcess> {
  // Where its journal is kept, too.
  const cwd = mkdtempSync(join(tmpdir(), 'stapes-bench-'))
  const file = join(cwd, 'relay.jsonc')
  writeFileSync(file, JSON.stringify(more), { mode: 0o600 })
  const child = spawn(process.execPath, [SMALL, ...main], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd,
    env: { ...process.env, ...relayEnvironment(servers, key, file) },
  })
  return { url: await urlOf(child), pid: child.pid ?? 0, close: () => endProcess(child) }
}

/** Of a relay on a port that is free; `file`: its configuration. */
export function relayEnvironment(servers: readonly Server[], key: Key, file: string): Record<string, string> {
  const { cert, key: secret } = servers[0]?.clients.trusted ?? { cert: '', key: '' }
  const remotes = servers.map(({ name, url, fingerprint }) => [name, { url, fingerprint }])
  return {
    // As the README has it run.
    MALLOC_ARENA_MAX: '1',
    RELAY_CONFIG: file,
    RELAY_PORT: '0',
    RELAY_KEYS: JSON.stringify({ [key.keyid]: key.secret }),
    RELAY_REMOTES: JSON.stringify(Object.fromEntries(remotes)),
    RELAY_CLIENT_CERTIFICATE: cert,
    RELAY_CLIENT_KEY: secret,
  }
}

export async function urlOf(child: ChildProcess): Promise<string> {
  if (child.stdout !== null)
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^relay on (\S+) for /.exec(line)?.[1]
      if (url !== undefined) return url
    }
  throw new Error('the relay ended before it listened')
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}
