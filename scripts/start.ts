/**
 * `npm start`: relay, Worker and a clock on this machine, against the remotes that `.env` names, or
 * against an embedded pair of Incus servers, until it is told to stop.
 */
import { existsSync } from 'node:fs'
import { createSession } from './session.ts'
import { chatOf } from './start/chat.ts'
import { runClock } from './start/clock.ts'
import { openLink } from './start/link.ts'
import { createTickRenderer, parseEntry, renderHeader } from './start/printing.ts'
import { openSettings } from './start/settings.ts'
import { Stays } from './start/stays.ts'
import { startWorker } from './start/worker.ts'

if (existsSync('.env')) process.loadEnvFile('.env')

/** In milliseconds. */
const PARENT_CHECK = 500

const stays = new Stays()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))

// Whoever ends npm by force means this process too.
const parent = process.ppid
if (process.env.npm_lifecycle_event !== undefined)
  setInterval(() => process.ppid === parent || end(0), PARENT_CHECK).unref()

async function end(code: number): Promise<void> {
  if (stays.ending) return
  await stays.end()
  process.exit(code)
}

const render = createTickRenderer()

function onLog(line: Record<string, unknown>): void {
  const entry = parseEntry(line)
  const text = entry === null ? JSON.stringify(line) : render(entry)
  if (text !== null) console.log(text)
}

async function start(): Promise<void> {
  const settings = await openSettings(process.env)
  const chat = chatOf(process.env)
  const link = await openLink(process.env, stays)
  const { url, tick } = await startWorker({ settings, link, chat, onLog }, stays)
  const applied = await createSession(url, settings.token).apply(settings.text, false)
  if (!applied.ok) throw new Error(`${settings.file} was refused:\n${applied.error.join('\n')}`)
  console.log(renderHeader({ url, settings, link, chat, applied: applied.value }))
  await runClock({ url, tick }, stays, (said) => console.error(`a tick failed; the Worker said:\n${said}`))
}

await start().catch(async (error: Error) => {
  // What a stop breaks off is no failure.
  if (stays.ending) return
  console.error(`stapes can't start: ${error.message}`)
  await end(1)
})
