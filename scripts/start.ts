/**
 * `npm start [-- --dry-run | --yes]`: relay, Worker and a clock on this machine, until it is told to stop:
 * against the remotes that `.env` names, or against an embedded pair of Incus servers. What is new to real
 * servers is shown first, and begins when somebody agrees, or with `--yes`; `--dry-run` shows it and ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readOptions } from './options.ts'
import { planText } from './plan-text.ts'
import { loadEnvironment } from './remote.ts'
import { createSession, type Refusal, type Session } from './session.ts'
import { chatOf } from './start/chat.ts'
import { Cleanup } from './start/cleanup.ts'
import { runClock } from './start/clock.ts'
import { whyUnusable } from './start/connection.ts'
import { agreeToBegin } from './start/consent.ts'
import { openHome } from './start/home.ts'
import { keepWorker } from './start/keeper.ts'
import { isEmbedded, openLink } from './start/link.ts'
import { createLookout } from './start/lookout.ts'
import { renderHeader } from './start/printing.ts'
import { openSettings, type Settings } from './start/settings.ts'
import { createTickRenderer, parseEntry } from './start/ticks.ts'
import { startWorker } from './start/worker.ts'

const OPTIONS = ['dry-run', 'yes'] as const
const { given } = readOptions(OPTIONS, 0, 'npm start [-- --dry-run | --yes]')
loadEnvironment()

/** In milliseconds. */
const PARENT_CHECK = 500

const cleanup = new Cleanup()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))

// If npm is killed, this process ends too.
const parent = process.ppid
if (process.env.npm_lifecycle_event !== undefined)
  setInterval(() => process.ppid === parent || end(0), PARENT_CHECK).unref()

async function end(code: number): Promise<void> {
  if (cleanup.ending) return
  await cleanup.run()
  process.exit(code)
}

const ticks = createTickRenderer()

function onLog(line: Record<string, unknown>): void {
  const entry = parseEntry(line)
  const text = entry === null ? JSON.stringify(line) : ticks.render(entry)
  if (text !== null) console.log(text)
}

async function start(): Promise<void> {
  const chat = chatOf(process.env)
  const link = await openLink(process.env, cleanup)
  const state = openState()
  const options = Object.entries(given).flatMap(([name, isGiven]) => (isGiven === true ? [`--${name}`] : []))
  const settings = await openSettings(process.env, options)
  const unusable = await whyUnusable(link)
  if (unusable !== null) throw new Error(unusable)
  const worker = await keepWorker(
    {
      start: () => startWorker({ settings, link, chat, state, onLog }, cleanup),
      say: (line) => console.error(line),
      giveUp: (why) => void fail(`stapes stops: ${why}`),
    },
    cleanup,
  )
  const { url } = worker()
  const session = createSession(url, settings.token)
  if (!(await mayBegin(session, settings, link.embedded))) return end(given['dry-run'] ? 0 : 1)
  const applied = await session.apply(settings.document, false)
  if (!applied.ok) throw refused(settings, applied.error)
  console.log(renderHeader({ url, settings, link, chat, applied: applied.value }))
  if (link.embedded) console.log(await whatComes(session))
  const lookout = createLookout()
  const tick = async (at: Date): Promise<string | null> => {
    const failure = await worker().tick(at)
    const status = await session.status()
    const news = status.ok ? lookout(at, status.value) : null
    if (news !== null) console.log(news)
    return failure
  }
  await runClock({ tick }, cleanup, (said) => console.error(`a tick failed; the Worker said:\n${said}`))
}

/** The state of embedded servers is useless after them, so it is removed. */
function openState(): string {
  if (isEmbedded(process.env)) {
    const folder = mkdtempSync(join(tmpdir(), 'stapes-state-'))
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }
  const { state, inherited } = openHome(process.env, cleanup)
  if (inherited) console.log(`the state of an earlier version is in ${state} from now on`)
  return state
}

async function mayBegin(session: Session, settings: Settings, embedded: boolean): Promise<boolean> {
  if (embedded && !given['dry-run']) return true
  const planned = await session.plan(settings.document)
  if (!planned.ok) throw refused(settings, planned.error)
  const { applied, warnings, text } = planned.value
  if (applied && !given['dry-run']) return true
  for (const warning of warnings) console.error(`warning: ${warning}`)
  console.log(text)
  if (given['dry-run']) return false
  return given.yes || agreeToBegin(settings.document.file)
}

/** The first snapshots may come minutes later, so this says when. */
async function whatComes(session: Session): Promise<string> {
  const planned = await session.plan(null)
  if (!planned.ok) return ''
  const text = planText(planned.value.lines).trimEnd().replace(/^/gm, '  ')
  ticks.announce(text)
  return `The first tick does this:\n\n${text}\n`
}

const refused = ({ document }: Settings, lines: Refusal): Error =>
  new Error(`${document.file} was refused:\n${lines.join('\n')}`)

async function fail(why: string): Promise<void> {
  // An error caused by the stop is no failure.
  if (cleanup.ending) return
  console.error(why)
  await end(1)
}

await start().catch((error: Error) => fail(`stapes can't start: ${error.message}`))
