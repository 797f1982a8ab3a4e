/**
 * Where `npm start` keeps the Worker's state for real servers: one folder for each relay configuration, so that
 * two of them share nothing. Only one process at a time may use a folder.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import type { Environment } from '../../relay/environment.ts'
import type { Cleanup } from './cleanup.ts'

const FOLDER = '.stapes'
/** The common folder of earlier versions. */
const FORMER = 'state'

const OWNER_ONLY = 0o700

/** How often the lock of a folder is renewed, and when it counts as stale, in milliseconds. */
const BEAT = 5_000
const SILENCE = 60_000

type Home = {
  folder: string
  /** For the Worker's KV. */
  state: string
  /** It was taken over from an earlier version. */
  inherited: boolean
}

/** Throws when another process holds it. */
export function openHome(environment: Environment, cleanup: Cleanup): Home {
  const folder = resolve(FOLDER, nameOf(environment))
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY })
  // Earlier versions left it open to other users.
  chmodSync(resolve(FOLDER), OWNER_ONLY)
  hold(folder, cleanup)
  const state = join(folder, 'state')
  const former = resolve(FOLDER, FORMER)
  const inherited = !existsSync(state) && existsSync(former)
  if (inherited) renameSync(former, state)
  return { folder, state, inherited }
}

/** By the path of the configuration and not by its content, which may change. */
function nameOf({
  RELAY_URL: url = '',
  RELAY_CONFIG: file = '',
  RELAY_REMOTES: remotes = '',
}: Environment): string {
  const path = file === '' ? '' : relative('.', resolve(file))
  const digest = createHash('sha256').update(JSON.stringify(url === '' ? [path, remotes] : [url]))
  const label = url === '' ? basename(path) : (URL.parse(url)?.host ?? '')
  const readable = label.replaceAll(/[^\w.-]/g, '-').slice(0, 40) || 'remotes'
  return `${readable}-${digest.digest('hex').slice(0, 8)}`
}

function hold(folder: string, cleanup: Cleanup): void {
  const lock = join(folder, 'lock')
  const holder = holderOf(lock)
  if (holder !== null)
    throw new Error(
      `another npm start works with the same servers already (process ${holder}, which holds ${folder}): end that one first, or ask it what it would do: npm run plan`,
    )
  rmSync(lock, { force: true })
  // If two processes start at once, one fails here.
  writeFileSync(lock, String(process.pid), { flag: 'wx' })
  const beat = setInterval(() => touch(lock), BEAT).unref()
  cleanup.add(() => {
    clearInterval(beat)
    rmSync(lock, { force: true })
  })
}

/** A process id may be reused, so the lock is also renewed regularly. */
function holderOf(lock: string): number | null {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    const isFresh = Date.now() - statSync(lock).mtimeMs < SILENCE
    return isFresh && isAlive(pid) ? pid : null
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function touch(lock: string): void {
  try {
    utimesSync(lock, new Date(), new Date())
  } catch {
    // The folder was removed, so there is nothing to lock.
  }
}
