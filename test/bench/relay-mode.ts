/** Copies in relay mode beside those of Incus's own client, between the same two servers; and what the relay takes meanwhile. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { type Pair, startPair } from '../lab/pair.ts'
import type { LabServer } from '../lab/server.ts'
import { whileOpen } from './closing.ts'
import { atLeast, atMost, median, type Report } from './figure.ts'
import { endProcess } from './relay-process.ts'
import type { Relayed, Relaying } from './relaying.ts'

const SIZE = 768 * 1024 * 1024
const MEGA = 1e6
/** Megabytes of the whole process. */
const MOST = 150
const LEAST = 0.9
const SOURCE = 'bench'

const run = promisify(execFile)

type Options = { rounds: number; incusd: string; onRound(line: string): void }
type Copies = { copy(target: string): Promise<number>; close(): Promise<void> }

export function benchRelayMode({ rounds, incusd, onRound }: Options): Promise<Report> {
  return whileOpen(async (open) => {
    const pair = await open(startPair({ daemons: { main: incusd, backup: incusd } }))
    await pair.main.createInstance({ name: SOURCE })
    await pair.main.write({ name: SOURCE }, 'marker', SIZE)
    const relay = await open(openRelay(pair))
    const client = await open(openClient(pair))
    const seen: Record<'relay' | 'incus', number[]> = { relay: [], incus: [] }
    for (let round = 0; round <= rounds; round++)
      for (const [name, { copy }] of [
        ['incus', client],
        ['relay', relay],
      ] as const) {
        const target = `${name}-${round}`
        const ms = await copy(target)
        if ((await pair.backup.readMarker({ name: target })) !== 'marker')
          throw new Error(`${target} is not whole`)
        await pair.backup.run('DELETE', `/1.0/instances/${target}`)
        onRound(`round ${round}: ${name} ${(SIZE / MEGA / (ms / 1000)).toFixed(0)} MB/s`)
        // The first round only warms up.
        if (round > 0) seen[name].push(ms)
      }
    const rate = (name: 'relay' | 'incus'): number => SIZE / MEGA / (median(seen[name]) / 1000)
    return {
      figures: [
        atLeast(
          'relay mode : incus copy --mode relay, throughput',
          rate('relay') / rate('incus'),
          '×',
          LEAST,
        ),
        atMost('resident memory of the relay meanwhile', relay.peak() / MEGA, 'MB', MOST),
      ],
      notes: [
        `${(SIZE / MEGA).toFixed(0)} MB from btrfs to dir: ${rate('relay').toFixed(0)} MB/s through the relay, ${rate('incus').toFixed(0)} MB/s through incus`,
      ],
    }
  })
}

async function openRelay({ main, backup }: Pair): Promise<Copies & { peak(): number }> {
  const remoteOf = ({ url, fingerprint }: LabServer, role: 'source' | 'target') => ({
    ...{ url, fingerprint, address: url, role },
  })
  const { cert: certificate, key } = main.clients.trusted
  const wanted: Relaying = {
    remotes: { main: remoteOf(main, 'source'), backup: remoteOf(backup, 'target') },
    ...{ client: { certificate, key }, source: SOURCE },
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'relaying.ts'), JSON.stringify(wanted)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // As the README has it run.
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
  })
  const answers = linesOf(child)
  let peak = 0
  return {
    peak: () => peak,
    async copy(target) {
      child.stdin?.write(`${target}\n`)
      const { value } = await answers.next()
      const relayed = JSON.parse(String(value)) as Relayed
      if (relayed.error !== undefined) throw new Error(JSON.stringify(relayed.error))
      peak = relayed.peak
      return relayed.ms
    },
    close: () => endProcess(child),
  }
}

function linesOf({ stdout }: ChildProcess): AsyncIterator<string> {
  if (stdout === null) throw new Error('the relay has no output')
  return createInterface({ input: stdout })[Symbol.asyncIterator]()
}

/** Incus's own client, which knows both servers. */
async function openClient({ main, backup }: Pair): Promise<Copies> {
  const home = await mkdtemp(join(tmpdir(), 'stapes-bench-client-'))
  const { cert, key } = main.clients.trusted
  await mkdir(join(home, 'servercerts'))
  await writeFile(join(home, 'client.crt'), cert)
  await writeFile(join(home, 'client.key'), key, { mode: 0o600 })
  for (const { name, certificate } of [main, backup])
    await writeFile(join(home, 'servercerts', `${name}.crt`), certificate)
  const remotes = Object.fromEntries(
    [main, backup].map(({ name, url }) => [
      name,
      { addr: url, auth_type: 'tls', protocol: 'incus', public: false },
    ]),
  )
  // YAML holds JSON.
  await writeFile(join(home, 'config.yml'), JSON.stringify({ 'default-remote': 'main', remotes }))
  const env = { ...process.env, INCUS_CONF: home }
  return {
    async copy(target) {
      const began = performance.now()
      const running = run('incus', ['copy', `main:${SOURCE}`, `backup:${target}`, '--mode', 'relay'], { env })
      running.child.stdin?.end()
      await running
      return performance.now() - began
    },
    close: () => rm(home, { recursive: true }),
  }
}
