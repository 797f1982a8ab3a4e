/** The Worker in workerd, with its own networking and a local KV, as a child: see workerd.ts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Chat } from './chat.ts'
import type { Cleanup } from './cleanup.ts'
import type { Link } from './link.ts'
import { namedSecrets } from './secrets.ts'
import type { Settings } from './settings.ts'
import type { FromWorkerd, ToWorkerd } from './workerd.ts'

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
/** How long it may take to end before it is killed with all its children, in milliseconds. */
const GOODBYE = 5_000
/** So many lines of output are kept to explain a failure. */
const KEPT_LINES = 15
/** How often its health is checked, the timeout of a check, and how many may fail: a simulation of a year computes for half a minute. */
const CHECK = 2_000
const TIMEOUT = 30_000
const MISSES = 3

export async function startWorker(options: WorkerOptions, cleanup: Cleanup): Promise<Worker> {
  const { settings, onLog } = options
  const child = spawnWorkerd(options)
  const end = onlyOnce(() => stop(child))
  cleanup.add(end)
  const output = follow(child, onLog)
  const url = `http://127.0.0.1:${settings.port}`
  await ready(child, output)
  const gone = new AbortController()
  const ended = watch(child, url).finally(() => gone.abort())
  return {
    ...{ url, ended, stop: end },
    tick: async (at) => ((await fire(child, at, gone.signal)) ? null : output.recent()),
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
    misses = (await answers(`${url}/healthz`)) ? 0 : misses + 1
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

function spawnWorkerd({ settings, link, chat, state }: WorkerOptions): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--no-warnings', fileURLToPath(new URL('./workerd.ts', import.meta.url))],
    {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      // A group of its own: Ctrl-C reaches this process alone, and all of the group can be ended at once.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  const secrets = {
    ...{ RELAY_URL: link.url, RELAY_KEY_ID: link.keyId, RELAY_KEY: link.key, STAPES_TOKEN: settings.token },
    ...namedSecrets(process.env),
    ...chat.secrets,
    // Nobody else reads this state.
    KV_SETTLED_MS: '0',
  }
  send(child, { start: { port: settings.port, secrets, state } })
  return child
}

function send(child: ChildProcess, message: ToWorkerd): void {
  child.send(message, () => {
    // It has ended, which is seen elsewhere.
  })
}

type Output = { recent(): string }

function follow(child: ChildProcess, onLog: WorkerOptions['onLog']): Output {
  const lines: string[] = []
  for (const input of [child.stdout, child.stderr]) {
    if (input === null) continue
    createInterface({ input }).on('line', (line) => {
      const entry = parseEntry(line)
      if (entry !== null) return onLog(entry)
      if (line.trim() !== '') lines.push(line)
      lines.splice(0, lines.length - KEPT_LINES)
    })
  }
  return { recent: () => lines.join('\n') }
}

function parseEntry(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
}

async function ready(child: ChildProcess, { recent }: Output): Promise<void> {
  const late = new Promise((resolve) => setTimeout(resolve, READY, 'late').unref())
  const isReady = answerOf(child, (message) => ('ready' in message ? 'ready' : null))
  const seen = await Promise.race([isReady, once(child, 'exit').then(() => 'gone'), late])
  if (seen === 'ready') return
  throw new Error(`the Worker did not come up; it said:\n${recent()}`)
}

/** Without a time limit: a tick may wait minutes for Incus, but not for a Worker that is gone. */
function fire(child: ChildProcess, at: Date, signal: AbortSignal): Promise<boolean> {
  const id = ++ticks
  const answer = answerOf(child, (message) =>
    'ticked' in message && message.ticked === id ? message.ok : null,
  )
  send(child, { tick: at.getTime(), id })
  const gone = once(signal, 'abort').then(() => false)
  return signal.aborted ? Promise.resolve(false) : Promise.race([answer, gone])
}

let ticks = 0

/** The first message that `read` makes something of. */
function answerOf<T>(child: ChildProcess, read: (message: FromWorkerd) => T | null): Promise<T> {
  return new Promise((resolve) => {
    const onMessage = (message: unknown): void => {
      const answer = read(message as FromWorkerd)
      if (answer === null) return
      child.off('message', onMessage)
      resolve(answer)
    }
    child.on('message', onMessage)
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
