/** The Worker in workerd, with its own networking and a local KV: wrangler's dev server as a child. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Chat } from './chat.ts'
import type { Cleanup } from './cleanup.ts'
import type { Link } from './link.ts'
import type { Settings } from './settings.ts'

export type Worker = {
  url: string
  /** Fires the cron trigger; null when all went well, else what the Worker said. */
  tick(at: Date): Promise<string | null>
  /** Resolves with the reason when its process is gone, or gives no answer. */
  ended: Promise<string>
  stop(): Promise<void>
}

type WorkerOptions = {
  settings: Settings
  link: Link
  chat: Chat
  /** For the Worker's KV. */
  state: string
  /** A line that the Worker logged as JSON. */
  onLog(entry: Record<string, unknown>): void
}

const READY = 60_000
/** How long wrangler may take to end before it is killed with all its children, in milliseconds. */
const GOODBYE = 5_000
/** So many lines of output are kept to explain a failure. */
const KEPT_LINES = 15
/** How often its health is checked, the timeout of a check, and how many may fail. */
const CHECK = 2_000
const TIMEOUT = 3_000
const MISSES = 3

export async function startWorker(options: WorkerOptions, cleanup: Cleanup): Promise<Worker> {
  const { settings, onLog } = options
  const folder = mkdtempSync(join(tmpdir(), 'stapes-start-'))
  const child = spawnWrangler(options, folder)
  const end = onlyOnce(() => stop(child).finally(() => rmSync(folder, { recursive: true, force: true })))
  cleanup.add(end)
  const output = follow(child, onLog)
  const url = `http://127.0.0.1:${settings.port}`
  await ready(child, output)
  const gone = new AbortController()
  const ended = watch(child, url).finally(() => gone.abort())
  return {
    ...{ url, ended, stop: end },
    tick: async (at) => ((await fire(url, at, gone.signal)) ? null : output.recent()),
  }
}

/** However often it is called. */
function onlyOnce(stopping: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | null = null
  return () => {
    stopped ??= stopping()
    return stopped
  }
}

async function watch(child: ChildProcess, url: string): Promise<string> {
  let misses = 0
  while (misses < MISSES) {
    await sleep(CHECK, undefined, { ref: false })
    if (child.exitCode !== null || child.signalCode !== null) return 'its process has ended'
    misses = (await answers(url)) ? 0 : misses + 1
  }
  return 'it gives no answer'
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: TIMEOUT, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.once('timeout', () => request.destroy())
    request.once('error', () => resolve(false))
    request.once('close', () => resolve(false))
  })
}

function spawnWrangler({ settings, link, chat, state }: WorkerOptions, folder: string): ChildProcess {
  const { port, token } = settings
  mkdirSync(state, { recursive: true })
  // An empty file in place of .env and .dev.vars: what the Worker gets is what stands here.
  const nothing = join(folder, 'nothing.env')
  writeFileSync(nothing, '')
  const where = ['--local', '--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0']
  const what = ['--persist-to', state, '--env-file', nothing, '--show-interactive-dev-session=false']
  const preloads = ['./die-with-parent.ts', './hidden-variables.ts'].flatMap((file) => [
    '--import',
    new URL(file, import.meta.url).href,
  ])
  const wrangler = createRequire(import.meta.url).resolve('wrangler')
  const args = ['--no-warnings', ...preloads, wrangler, 'dev', ...where, ...what]
  return spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    // A group of its own: Ctrl-C reaches this process alone, and all of the group can be ended at once.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      ...{ RELAY_URL: link.url, RELAY_KEY_ID: link.keyId, RELAY_KEY: link.key, STAPES_TOKEN: token },
      STAPES_HIDDEN_VARIABLES: JSON.stringify(chat.secrets),
      ...{ CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
      ...{ WRANGLER_SEND_ERROR_REPORTS: 'false', WRANGLER_LOG_PATH: folder },
    },
  })
}

type Output = { isReady: Promise<void>; recent(): string }

function follow(child: ChildProcess, onLog: WorkerOptions['onLog']): Output {
  const lines: string[] = []
  const isReady = new Promise<void>((resolve) => {
    for (const input of [child.stdout, child.stderr]) {
      if (input === null) continue
      createInterface({ input }).on('line', (line) => {
        const entry = parseEntry(line)
        if (entry !== null) return onLog(entry)
        if (line.includes('Ready on')) resolve()
        if (line.trim() !== '') lines.push(line)
        lines.splice(0, lines.length - KEPT_LINES)
      })
    }
  })
  return { isReady, recent: () => lines.join('\n') }
}

function parseEntry(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
}

async function ready(child: ChildProcess, { isReady, recent }: Output): Promise<void> {
  const late = new Promise((resolve) => setTimeout(resolve, READY, 'late').unref())
  const seen = await Promise.race([isReady, once(child, 'exit').then(() => 'gone'), late])
  if (seen === undefined) return
  throw new Error(`the Worker did not come up; wrangler said:\n${recent()}`)
}

/** Without the time limit of fetch: a tick may wait minutes for Incus, but not for a Worker that is gone. */
function fire(url: string, at: Date, signal: AbortSignal): Promise<boolean> {
  const query = new URLSearchParams({ cron: '* * * * *', time: String(at.getTime()), format: 'json' })
  return new Promise((resolve) => {
    const request = get(`${url}/cdn-cgi/handler/scheduled?${query}`, { signal }, async (response) => {
      const text = await response.toArray().then(
        (parts) => parts.join(''),
        () => '',
      )
      resolve(response.statusCode === 200 && text.includes('"outcome":"ok"'))
    })
    request.once('error', () => resolve(false))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit')
    const late = setTimeout(() => signalGroup(pid, 'SIGKILL'), GOODBYE)
    child.kill('SIGTERM')
    await gone
    clearTimeout(late)
  }
  // Whatever it left behind.
  signalGroup(pid, 'SIGKILL')
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // No process of the group is left.
  }
}
