/**
 * `node test/e2e/npm-start.ts`: a start-up of `npm start` as somebody new to it does it. It must take its
 * snapshots and begin to copy them, and when it is interrupted nothing of it may stay.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../lab/free-port.ts'
import type { InstanceView } from './timeline.ts'

/** The first snapshots come with the first tick, their copies a minute later; wrangler may be slow to start. */
const PATIENCE = 540_000
/** For npm to end, when it is told to. */
const FAREWELL = 20_000
const TOKEN = 'npm-start'
const COPYING = ['started', 'running', 'verified']

/** As it is, but for the jitter: at 3:00 the daily snapshots would wait for the minute that is their own. */
const folder = mkdtempSync(join(tmpdir(), 'stapes-example-'))
const file = join(folder, 'stapes.jsonc')
writeFileSync(file, readFileSync('stapes.jsonc', 'utf8').replace('"jitter": "10m"', '"jitter": "0s"'))

const port = await freePort()
const child = spawn('npm', ['start'], {
  env: { ...process.env, PORT: String(port), STAPES_TOKEN: TOKEN, STAPES_FILE: file },
  stdio: ['ignore', 'inherit', 'inherit'],
  // As a shell starts it, so that the interrupt reaches what Ctrl-C would reach.
  detached: true,
})
const failure = await watch(child).catch((error: unknown) => String(error))
const family = descendants(child.pid ?? 0)
const left = await interrupt(child, family)
rmSync(folder, { recursive: true })
if (failure !== null) console.error(`npm start: ${failure}`)
if (left.length > 0) console.error(`npm start: still there after Ctrl-C: ${left.join(', ')}`)
if (failure !== null || left.length > 0) process.exit(1)
console.log(`npm start: took its snapshots and began to copy; nothing is left of ${family.length} processes`)

/** Null as soon as all is as it should be. */
async function watch(started: ChildProcess): Promise<string | null> {
  const end = Date.now() + PATIENCE
  let seen: InstanceView[] = []
  while (Date.now() < end) {
    if (started.exitCode !== null) return `it ended with ${started.exitCode}`
    seen = await look().catch(() => seen)
    if (seen.length > 0 && seen.every(isServed)) return null
    await sleep(500)
  }
  return `not all was taken and copied within ${PATIENCE / 1000} s: ${JSON.stringify(seen)}`
}

async function look(): Promise<InstanceView[]> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const response = await fetch(`http://127.0.0.1:${port}/api/instances`, { headers })
  return ((await response.json()) as { instances?: InstanceView[] }).instances ?? []
}

function isServed({ snapshots, copies }: InstanceView): boolean {
  const isTaken = ['hourly', 'daily'].every((policy) =>
    snapshots.some(({ name }) => name.startsWith(`${policy}-`)),
  )
  return isTaken && copies.length > 0 && copies.every(({ state }) => COPYING.includes(state))
}

/** Command lines of what is still there afterwards. */
async function interrupt(started: ChildProcess, pids: number[]): Promise<string[]> {
  const { pid } = started
  if (pid !== undefined && started.exitCode === null) {
    const gone = once(started, 'exit')
    process.kill(-pid, 'SIGINT')
    await Promise.race([gone, sleep(FAREWELL)])
  }
  await sleep(500)
  return pids.flatMap((each) => commandOf(each) ?? [])
}

/** A process and all that it has started. */
function descendants(root: number): number[] {
  const parents = readdirSync('/proc').flatMap((entry) => {
    const found = /^\d+$/.test(entry) ? /^PPid:\s+(\d+)/m.exec(read(`/proc/${entry}/status`)) : null
    return found === null ? [] : [{ pid: Number(entry), parent: Number(found[1]) }]
  })
  const family = [root]
  for (const pid of family)
    family.push(...parents.filter(({ parent }) => parent === pid).map((one) => one.pid))
  return family
}

function commandOf(pid: number): string | null {
  const line = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
  return line === '' ? null : line
}

/** Empty when the process is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
