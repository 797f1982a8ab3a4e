/**
 * The pages of docs/worst-night, run word for word: each block of a page is one script. A line `# on <server>:` at its head
 * says on which machine; an assignment of a name in capitals is what a reader fills in, and here a test does.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseJsonc } from '../../shared/jsonc.ts'
import { endProcess, urlOf } from '../bench/relay-process.ts'
import type { Pair } from '../lab/pair.ts'
import { linesOf } from '../unit/scripts/script.ts'
import type { Key } from './worker.ts'
import { type WorkerHere, workerHere } from './worker-here.ts'

const ROOT = join(import.meta.dirname, '../..')
const STAPES = join(ROOT, 'scripts/stapes.ts')

const PAGES = readdirSync(join(ROOT, 'docs/worst-night'))
  .filter((name) => /^\d/.test(name))
  .map((name) => name.replace('.md', ''))

export type Block = { on: string; script: string }

/** Of a page by its name, such as `1-one-file`. */
export function blocksOf(page: string): Block[] {
  const whole = readFileSync(join(ROOT, 'docs/worst-night', `${page}.md`), 'utf8')
  return [...whole.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', block = '']) => {
    const script = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    return { on: /^# on (\S+):\n/.exec(script)?.[1] ?? 'here', script }
  })
}

/** What a reader fills in, by the names that a page gives it. */
export type Filled = Readonly<Record<string, string>>

export type Night = {
  folder: string
  /** As many blocks of the page, from where it was left; gives all that they printed. Throws when one fails. */
  run(page: string, filled?: Filled, blocks?: number): Promise<string>
  /** Pages of which not every block was run, by how many are left. */
  left(): Record<string, number>
  stapes(...words: string[]): Promise<string>
  /** Minutes until it is so. */
  until(isSo: () => Promise<boolean>): Promise<void>
  /** What `main` or `backup` is from now on. */
  replace(place: 'main' | 'backup', by: { dir: string }): void
  relayUrl(): string
  /** With what its configuration says by now. */
  restartRelay(): Promise<void>
  /** Another Worker: with the newest key of relay.jsonc, and with the same KV or an empty one. */
  restartWorker(how: { keepState: boolean }): Promise<void>
  close(): Promise<void>
}

/** Real milliseconds of a minute while something runs. */
const MINUTE = 500
/** Minutes until a scene counts as stuck. */
const MOST = 60

export async function openNight(pair: Pair): Promise<Night> {
  const folder = mkdtempSync(join(tmpdir(), 'stapes-night-'))
  const bin = commandsIn(folder)
  const env = { PATH: `${bin}:${process.env.PATH ?? ''}`, HOME: folder, TZ: 'UTC', NO_COLOR: '1' }
  const servers: Record<string, string> = { main: pair.main.dir, backup: pair.backup.dir }
  const shell = (script: string, place: string): Promise<string> => {
    const INCUS_DIR = servers[place] ?? '/nowhere'
    const child = spawn('bash', ['-euc', script], {
      ...{ cwd: folder, env: { ...env, INCUS_DIR }, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    return output(child, script)
  }
  for (const side of ['main', 'backup'] as const)
    writeFileSync(join(folder, `${side}.token`), await shell('incus config trust add stapes', side), {
      mode: 0o600,
    })
  const tokens = '--token main=main.token --token backup=backup.token'
  await shell(`stapes init --yes --files --no-scriptlet ${tokens}`, 'here')
  let relay = await startRelay(folder, env, '0')
  const keyNow = (): Key => newestKey(readFileSync(join(folder, 'relay.jsonc'), 'utf8'))
  let worker = await workerHere(relay.url, keyNow(), {})
  const front = await openFront(() => worker)
  const settings = (): void => {
    const lines = ['RELAY_CONFIG=relay.jsonc', `STAPES_URL=${front.url}`, `STAPES_TOKEN=${worker.token}`, '']
    writeFileSync(join(folder, '.env'), lines.join('\n'), { mode: 0o600 })
  }
  settings()
  const next = new Map<string, number>()
  /** Minutes pass meanwhile. */
  const passing = async (run: Promise<string>): Promise<string> => {
    let isOver = false
    const ended = run.finally(() => {
      isOver = true
    })
    const tick = async (): Promise<void> => {
      while (!isOver) {
        await worker.pass()
        await Promise.race([ended.catch(() => ''), sleep(MINUTE)])
      }
    }
    return (await Promise.all([ended, tick()]))[0]
  }
  return {
    folder,
    async run(page, filled = {}, count = Number.POSITIVE_INFINITY) {
      const from = next.get(page) ?? 0
      const blocks = blocksOf(page).slice(from, from + count)
      const said: string[] = []
      for (const { on, script } of blocks) said.push(await passing(shell(fillIn(script, filled), on)))
      next.set(page, from + blocks.length)
      return said.join('')
    },
    left: () =>
      Object.fromEntries(
        PAGES.map((page) => [page, blocksOf(page).length - (next.get(page) ?? 0)] as const).filter(
          ([, count]) => count > 0,
        ),
      ),
    stapes: (...words) => passing(shell(`stapes ${words.map((word) => `'${word}'`).join(' ')}`, 'here')),
    async until(isSo) {
      for (let minutes = 0; !(await isSo()); minutes++) {
        if (minutes === MOST) throw new Error('it is never so')
        await worker.pass()
        await sleep(MINUTE)
      }
    },
    replace(place, { dir }) {
      servers[place] = dir
    },
    relayUrl: () => relay.url,
    async restartRelay() {
      await endProcess(relay.child)
      relay = await startRelay(folder, env, new URL(relay.url).port)
    },
    async restartWorker({ keepState }) {
      const state = keepState ? { kv: worker.kv } : {}
      const now = worker.now()
      await worker.close()
      worker = await workerHere(relay.url, keyNow(), {}, { start: now, ...state })
      settings()
    },
    async close() {
      front.close()
      await worker.close()
      await endProcess(relay.child)
      rmSync(folder, { recursive: true })
    },
  }
}

type Environment = Record<string, string>

async function startRelay(folder: string, env: Environment, port: string) {
  const child = spawn(process.execPath, [STAPES, 'relay'], {
    ...{ cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
    env: { ...env, RELAY_CONFIG: 'relay.jsonc', RELAY_PORT: port },
  })
  return { child, url: await urlOf(child) }
}

/** Of relay.jsonc, the newest last. */
export function keysOf(config: string): Record<string, string> {
  const parsed = parseJsonc(config)
  return ((parsed.ok ? parsed.value : {}) as { keys: Record<string, string> }).keys
}

function newestKey(config: string): Key {
  const [id = '', secret = ''] = Object.entries(keysOf(config)).at(-1) ?? []
  return { id, secret: Buffer.from(secret, 'base64') }
}

/** Where the command line finds the Worker. */
async function openFront(worker: () => WorkerHere) {
  const server = createServer(async (request, response) => {
    // What a year brings takes more processor time than a free plan has, and than these tests want.
    if (request.url === '/api/simulate') return void response.writeHead(503).end()
    const { authorization = '' } = request.headers
    const body = request.method === 'GET' ? {} : { body: await text(request) }
    const token = authorization.replace(/^Bearer /, '')
    const answer = await worker().fetch(request.url ?? '/', {
      method: request.method ?? 'GET',
      token,
      ...body,
    })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** `stapes` as a command. */
function commandsIn(folder: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'stapes'), `#!/bin/sh\nexec '${process.execPath}' '${STAPES}' "$@"\n`)
  chmodSync(join(bin, 'stapes'), 0o755)
  return bin
}

/** Throws for a name that nobody fills in: the page's example isn't meant for here. */
const fillIn = (script: string, filled: Filled): string =>
  script.replace(/^([A-Z_]+)=\S+/gm, (_, name: string) => {
    if (!Object.hasOwn(filled, name)) throw new Error(`nobody fills in ${name}`)
    return `${name}='${filled[name]}'`
  })

function output(child: ChildProcess, script: string): Promise<string> {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => (said += part))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0
        ? resolve(said)
        : reject(new Error(`this ended with ${code}:\n${script}\n${linesOf(said).slice(-40).join('\n')}`)),
    )
  })
}
