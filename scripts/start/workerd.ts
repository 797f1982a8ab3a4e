/**
 * A child of `npm start`: the Worker in workerd, with Miniflare's KV. wrangler's dev server would also open an
 * inspector, an explorer of KV and a trigger for ticks of any date to every user of the machine. Here nothing
 * listens but the Worker itself, and a port of Miniflare's own that answers to a secret alone. Settings come over
 * IPC, as other users can read a process's arguments.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { unstable_readConfig } from 'wrangler'

export type ToWorkerd =
  | { start: { port: number; secrets: Record<string, string>; state: string } }
  | { tick: number; id: number }

export type FromWorkerd = { ready: true } | { ticked: number; ok: boolean }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HOST = '127.0.0.1'
const ONLY_THIS_USER = 0o077

/** The first message brings the settings, the others are ticks. */
let begun: Promise<Miniflare> | null = null

process.umask(ONLY_THIS_USER)
process.on('message', (message: ToWorkerd) => {
  if ('tick' in message) return void tick(message)
  begun = start(message.start)
  begun.catch(fail)
})
// Whoever started it is gone, perhaps killed.
process.on('disconnect', () => void end())
process.on('SIGTERM', () => void end())

async function start({ port, secrets, state }: Extract<ToWorkerd, { start: unknown }>['start']) {
  const { compatibility_date: date } = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') })
  if (date === undefined) throw new Error('wrangler.toml names no compatibility_date')
  const options = convertV4MiniflareOptions({
    ...{ host: HOST, port, cf: false, log: new Log(LogLevel.WARN), logRequests: false },
    handleStructuredLogs: ({ message }) => console.log(message),
    // Whoever started it counts the crashes, and starts another.
    unsafeHandleRuntimeRestart: () => fail(new Error('workerd ended by itself')),
    // As wrangler's dev server laid it out, so that state of earlier versions is found.
    resourcePersistencePath: join(state, 'v3'),
    workers: [
      {
        name: 'stapes',
        modules: [{ type: 'ESModule', path: 'index.js', contents: bundle() }],
        compatibilityDate: date,
        bindings: secrets,
        // Without an id in wrangler.toml a namespace has its binding's name.
        kvNamespaces: ['STATE'],
      },
    ],
  })
  mkdirSync(state, { recursive: true })
  const miniflare = new Miniflare(options)
  await miniflare.ready
  send({ ready: true })
  return miniflare
}

/** As a deploy would upload it. */
function bundle(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stapes-bundle-'))
  try {
    const wrangler = createRequire(import.meta.url).resolve('wrangler')
    const args = ['--no-warnings', wrangler, 'deploy', '--dry-run', '--outdir', folder]
    const quiet = { WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', NO_COLOR: '1' }
    const env = { ...process.env, ...quiet, WRANGLER_LOG_PATH: folder }
    const made = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`wrangler can't bundle the Worker:\n${made.stdout}${made.stderr}`)
    return readFileSync(join(folder, 'index.js'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function tick({ tick: at, id }: Extract<ToWorkerd, { tick: number }>): Promise<void> {
  try {
    const worker = await (await begun)?.getWorker()
    const result = await worker?.scheduled({ scheduledTime: new Date(at), cron: '* * * * *' })
    send({ ticked: id, ok: result?.outcome === 'ok' })
  } catch (error) {
    console.error(String(error))
    send({ ticked: id, ok: false })
  }
}

function send(message: FromWorkerd): void {
  if (process.connected) process.send?.(message)
}

function fail(error: Error): void {
  console.error(error.message)
  process.exit(1)
}

async function end(): Promise<void> {
  const miniflare = await begun?.catch(() => null)
  await miniflare?.dispose()
  process.exit(0)
}
